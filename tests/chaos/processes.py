"""The processes of a run: started, harmed, and started again as a supervisor would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.parts.process import DIE_WITH_PARENT

RESTART_SECONDS = 1.0
CHECK_SECONDS = 0.1


class Child:
    """One program of this package, its output in a file."""

    def __init__(self, module: str, arguments: list[str], output: Path) -> None:
        output.parent.mkdir(parents=True, exist_ok=True)
        self.output = output
        guard = [sys.executable, "-I", str(DIE_WITH_PARENT), str(os.getpid())]
        with output.open("ab") as log:
            self.process = subprocess.Popen([*guard, sys.executable, "-m", module, *arguments], stdout=log, stderr=log)

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, patience: float) -> int:
        """SIGTERM; killed if that does not do. Returns its code."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def says(self) -> str:
        return self.output.read_text(errors="replace")


class Supervised:
    """A worker that is started again whenever it ends, until it is told to stay away."""

    def __init__(self, name: str, arguments: list[str], folder: Path, module: str = "tests.chaos.worker") -> None:
        self.name = name
        self.folder = folder
        self.codes: list[int] = []  # how it ended, each time
        self._module = module
        self._arguments = arguments
        self._child: Child | None = None
        self._wanted = False
        self._ended_at = -RESTART_SECONDS

    def start(self) -> None:
        self._wanted = True
        self.look(at_once=True)

    def look(self, *, at_once: bool = False) -> None:
        """What a supervisor does now and then."""
        if self._child is not None and (code := self._child.code) is not None:
            self.codes.append(code)
            self._child = None
            self._ended_at = time.monotonic()
        if self._wanted and self._child is None and (at_once or time.monotonic() - self._ended_at >= RESTART_SECONDS):
            self._child = Child(self._module, self._arguments, self.folder / "log")

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.code is None

    @property
    def pid(self) -> int | None:
        return self._child.process.pid if self._child is not None and self._child.code is None else None

    def signal(self, number: int) -> None:
        if self._child is not None and self._child.code is None:
            self._child.signal(number)

    def stop(self, patience: float = 30.0) -> float:
        """Returns how long it took to end. Its code is kept."""
        self._wanted = False
        began = time.monotonic()
        if self._child is not None:
            self.codes.append(self._child.stop(patience))
            self._child = None
        return time.monotonic() - began

    def kill(self) -> None:
        """And stays away."""
        self._wanted = False
        if self._child is not None:
            self._child.process.kill()
            self.codes.append(self._child.process.wait())
            self._child = None

    def keep_away(self) -> None:
        """It is not started again when it ends by itself."""
        self._wanted = False

    def says(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""


class Supervisor:
    """Looks after workers whenever the run waits."""

    def __init__(self) -> None:
        self.workers: dict[str, Supervised] = {}

    def wait(self, seconds: float) -> None:
        """Time passes, and who has ended is started again."""
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while (left := deadline - time.monotonic()) > 0:
            self.look()
            pause.wait(min(CHECK_SECONDS, left))

    def look(self) -> None:
        for worker in list(self.workers.values()):
            worker.look()
