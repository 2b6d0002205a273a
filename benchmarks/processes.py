"""A measured process: started, watched for its time and memory, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from benchmarks.paths import ROOT
from tests.parts.process import dying_with_us

STOP_SECONDS = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
LOG_LINES = 15


class Usage(NamedTuple):
    """What a process has used since it started."""

    cpu_seconds: float
    peak_mb: float  # resident


class Measured:
    """One process (and its children, if it has any) with its output in a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # our own commands
                dying_with_us(command),
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def ended(self, seconds: float) -> bool:
        """Waits so long for its end; whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> Usage:
        """Of the process and its living descendants, together."""
        parts = [usage_of(pid) for pid in family(self.pid)]
        return Usage(sum(part.cpu_seconds for part in parts), sum(part.peak_mb for part in parts))

    def holding(self) -> Holding:
        """Of the process and its living descendants, together."""
        parts = [holding_of(pid) for pid in family(self.pid)]
        return Holding(sum(part.resident_mb for part in parts), sum(part.files for part in parts))

    @property
    def log(self) -> Iterator[str]:
        """The lines it has written so far, and those of the processes before it that wrote to the same file."""
        with self._log.open(errors="replace") as lines:
            yield from lines

    def stop(self) -> int:
        """Asks it to end, kills it if it does not in time; its exit code (negative: killed by that signal)."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


class Holding(NamedTuple):
    """What a process holds now."""

    resident_mb: float
    files: int  # descriptors open


def holding_of(pid: int) -> Holding:
    """Of one process; nothing if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return Holding(0.0, 0)
    return Holding(_megabytes(status, "VmRSS"), files)


def usage_of(pid: int) -> Usage:
    """Of one process; nothing if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return Usage(0.0, 0.0)
    return Usage(_cpu_seconds(stat), _megabytes(status, "VmHWM"))


def cpu_of_threads(pid: int, names: tuple[str, ...]) -> float:
    """CPU seconds of a process's present threads whose names begin so."""
    spent = 0.0
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            stat = (task / "stat").read_text()
        except FileNotFoundError:
            continue  # ended meanwhile
        if stat.partition("(")[2].startswith(names):
            spent += _cpu_seconds(stat)
    return spent


def _cpu_seconds(stat: str) -> float:
    """Of a line of /proc: user and system."""
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS


def _megabytes(status: str, field: str) -> float:
    """Of a process's status; 0 for one that is ending."""
    return int(next((line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:")), "0")) / 1024


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            try:
                found += [int(child) for child in (task / "children").read_text().split()]
            except FileNotFoundError:
                continue  # ended meanwhile
    return found
