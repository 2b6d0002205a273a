"""Some processors of the demo in a process of their own, on the same data folder: two cores are better than one.

The child ends when its standard input does: when the parent says so, and also when the parent dies. A Ctrl-C, which a
terminal sends to both, is for the parent.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.logs.embedded import telling
from streams.engine.collector import relax_collector
from streams.engine.log import LogError

IDLE_SECONDS = 0.005
CLOSE_SECONDS = 60.0


class Aside:
    """The child, as the parent sees it. A context manager: it is ended, and waited for, at the end of the block."""

    def __init__(self, processors: Sequence[str], folder: Path, seed: int) -> None:
        self._names = " and ".join(processors)
        command = [sys.executable, "-m", "streams.app.aside", str(folder), str(seed), *processors]
        # A child inherits what is blocked: a Ctrl-C does nothing to it, not even while its interpreter starts.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own interpreter and module
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def check(self) -> None:
        """Raises LogError if the child has ended."""
        code = self._child.poll()
        if code is not None:
            raise LogError(f"the process of {self._names} has ended with code {code}: see its message above")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        code = self._child.wait(CLOSE_SECONDS)
        if code and kind is None:
            raise LogError(f"the process of {self._names} has ended with code {code}")


def main(folder: Path, seed: int, processors: Sequence[str]) -> None:
    """The child: steps its processors until standard input ends, then closes its stores."""
    from streams.app.demo import demo_configuration  # noqa: PLC0415 - the parent imports this module first
    from streams.app.embedded import Pipeline, data_paths  # noqa: PLC0415
    from streams.app.wiring import Deployment  # noqa: PLC0415

    relax_collector()
    deployment = Deployment(demo_configuration(folder, seed))
    log, _ = data_paths(folder)
    with telling(log), Pipeline(deployment, processors=processors, shared=True) as pipeline:
        busy = True
        while not _ended(0 if busy else IDLE_SECONDS):
            busy = pipeline.step()


def _ended(seconds: float) -> bool:
    """Whether standard input has ended; waits that long for it."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


if __name__ == "__main__":
    from streams.app.exits import exit_code

    sys.exit(exit_code(lambda: main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
