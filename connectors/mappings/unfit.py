"""Why a value of an event cannot be mapped."""

from __future__ import annotations


class UnfitError(Exception):
    """A value does not fit. Inside this package only: the mapping adds its name and the attribute, and rejects the event."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason  # a fixed word, see `RejectedError`
        self.what = what  # names paths, never values


class UnchangedError(UnfitError):
    """The source does not say what stands there, because its event did not change it."""

    def __init__(self, path: str) -> None:
        super().__init__("bad-value", f"path {path}: unchanged, and the database's log does not hold it")
