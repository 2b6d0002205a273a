"""What a check found."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # it runs, but worse than it could, or something will be missing
    ERROR = "error"  # it cannot run, or would lose something


class Check(NamedTuple):
    """One thing looked at."""

    area: str
    what: str
    status: Status
    found: str
    fix: str = ""  # what to do about it; empty if ok


def ok(area: str, what: str, found: str) -> Check:
    return Check(area, what, Status.OK, found)


def warning(area: str, what: str, found: str, fix: str) -> Check:
    return Check(area, what, Status.WARNING, found, fix)


def error(area: str, what: str, found: str, fix: str) -> Check:
    return Check(area, what, Status.ERROR, found, fix)
