"""A child process made by forking: it has all that the parent has imported, which takes a second and more of CPU.

The parent must be without threads when it forks, its own and those of a Kafka client: a lock that one of them held would
stay locked in the child for ever.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, NoReturn

from setproctitle import setproctitle

from streams.app.stopping import STOPPING, when_asked_to_stop

LOOK_SECONDS = 0.01


class Forked:
    """A child that does one piece of work and ends. It notices the parent's end by its standard input: the kernel closes
    a dead process's pipes."""

    _ends: ClassVar[set[int]] = set()
    """The parent's ends of all pipes: a child that kept a copy of another's would keep the parent alive for it."""

    def __init__(self, work: Callable[[], int], title: str, *, keep_output: bool = False) -> None:
        """`work` returns the exit code. `title` is what the process is called in a list of processes.

        `keep_output`: what it prints is kept for `output` instead of being shown.
        """
        self._code: int | None = None
        read, self._input = self._pipe()
        self._output, write = self._pipe() if keep_output else (-1, -1)
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # the collector writes on what it looks at: what is never collected stays shared
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            self.pid = os.fork()
            if not self.pid:
                self._be_the_child(work, title, read, write, before)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._close(read, write)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._ends.update(ends)
        return ends

    def _close(self, *ends: int) -> None:
        for end in self._ends.intersection(ends):
            self._ends.discard(end)
            os.close(end)

    def _be_the_child(self, work: Callable[[], int], title: str, read: int, write: int, before: set[int]) -> NoReturn:
        code = 1
        try:
            os.dup2(read, 0)
            if write >= 0:
                os.dup2(write, 1)
            self._close(*self._ends)
            when_asked_to_stop(signal.SIG_DFL)  # the parent handles them in its own way, the child not before it says so
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            setproctitle(title)
            code = work()
        except BaseException:  # nothing of the parent must go on in the child
            traceback.print_exc()
        finally:
            with suppress(OSError):  # nobody reads any more
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def poll(self) -> int | None:
        """Its exit code, or the signal that ended it, negated; None while it runs."""
        if self._code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self._code = os.waitstatus_to_exitcode(status)
                self._close(self._input)
        return self._code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:  # the kernel keeps its number until then
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int | None:
        """Its exit code; None if it still runs after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return code

    def output(self) -> bytes:
        """What it printed, if that was kept; asked once, when it has ended."""
        if self._output < 0:
            return b""
        printed = b"".join(iter(lambda: os.read(self._output, 65_536), b""))
        self._close(self._output)
        return printed


def when_parent_ends(stop: Callable[[], None], descriptor: int = 0) -> None:
    """Calls `stop` once, from a thread, when nobody holds the other end of standard input any more."""

    def wait() -> None:
        while os.read(descriptor, 1024):  # not sys.stdin: its lock, held here, would break the interpreter's end
            pass
        stop()

    threading.Thread(target=wait, name="parent", daemon=True).start()
