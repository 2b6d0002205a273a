"""Becomes a server that the kernel kills when its parent dies: `die_with_parent.py PARENT_PID COMMAND...`.

Tests killed with -9 run no clean-up, and a broker left over would hold memory and a port. A program of its own, because
code run between fork and exec in a process with threads (pytest with librdkafka) can deadlock. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above took effect
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
