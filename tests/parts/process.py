"""A server run as a child process: started until ready, stopped, killed, and gone when the tests are gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.parts.part import PartStartError

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
STOP_TIMEOUT = 20.0  # seconds for an orderly stop before it is killed
LOG_LINES = 30  # shown when it does not start


def dying_with_us(command: Sequence[str]) -> list[str]:
    """The command, run so that on Linux it dies with the *thread* that starts it."""
    return [sys.executable, "-I", str(DIE_WITH_PARENT), str(os.getpid()), *command]


def gone(pid: int) -> bool:
    """Whether the process has ended; a zombie nobody has collected yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class ServerProcess:
    """One command, run any number of times, its output appended to one log file.

    On Linux the child dies with the *thread* that started it, so start it from one that lives as long as the tests.
    """

    def __init__(self, name: str, command: Sequence[str], log_path: Path, folder: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the running server, for signals such as SIGSTOP."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> None:
        """Start the command; nothing happens if it is running. Does not wait."""
        if self.running:
            return
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                dying_with_us(self._command),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal reaches the tests, which stop it in order
            )

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Return once `ready` says so. Raises PartStartError after `timeout` seconds, or at once if the process ends."""
        deadline = time.monotonic() + timeout
        while not ready():
            if self._process is None:
                raise PartStartError(f"{self.name} was not started")
            try:
                code = self._process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
                self.kill()
                raise PartStartError(f"{self.name} was not ready within {timeout:.0f} s{self._last_lines()}") from None
            raise PartStartError(f"{self.name} ended with code {code} while starting{self._last_lines()}")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _last_lines(self) -> str:
        return f"; the end of {self.log_path}:\n" + "\n".join(self.log().splitlines()[-LOG_LINES:])
