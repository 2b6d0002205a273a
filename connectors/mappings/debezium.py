"""The Debezium change-event envelope: which row, what happened to it, and where it stands in the order of the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streams.engine.contract import RejectedError

UNAVAILABLE = "__debezium_unavailable_value"
"""Stands for a large (TOASTed) column that the change did not touch and the log does not hold."""

_UNAVAILABLE: tuple[object, ...] = (UNAVAILABLE, [UNAVAILABLE], UNAVAILABLE.encode())
_OTHER_FORMS = {list, bytes}


class RowChange(NamedTuple):
    """What an envelope says of one row."""

    row: dict[str, object]  # of a delete: what was there before, or the key if the log does not hold it
    deleted: bool
    partial: bool  # some columns are unavailable: unchanged
    before: dict[str, object] | None = None  # of an update: the row it changed, if the log holds it


def open_envelope(event: dict[str, object], read_key: Callable[[], object]) -> RowChange | None:
    """None for a heartbeat or a logical message. Raises RejectedError for a truncate or what is no envelope.

    A JSON converter with schemas enabled wraps the envelope once more: see `payload`.
    """
    operation = event.get("op")
    if operation in ("c", "u", "r"):  # a tuple: what the source wrote may be a list, which no set can hold
        after = event.get("after")
        if not isinstance(after, dict):
            raise RejectedError("bad-value", "Debezium envelope: no row in after")
        before = event.get("before") if operation == "u" else None
        return RowChange(
            after, deleted=False, partial=_has_unavailable(after), before=before if isinstance(before, dict) else None
        )
    if operation == "d":
        before = event.get("before")
        row = before if isinstance(before, dict) else payload(read_key())
        if not isinstance(row, dict):
            raise RejectedError("missing-record-id", "Debezium envelope: a delete with neither before nor key")
        return RowChange(row, deleted=True, partial=False)
    if operation == "t":
        raise RejectedError("truncate", "Debezium envelope: the table was truncated, which deletes no record by itself")
    if operation == "m" or (operation is None and not event.keys() & {"before", "after"}):
        return None
    raise RejectedError("unknown-operation", "Debezium envelope: op is none of c, u, r, d, t, m")


def payload(document: object) -> object:
    """A JSON converter's `{schema, payload}` taken off, if it is there."""
    if isinstance(document, dict) and document.keys() == {"schema", "payload"}:
        return document["payload"]
    return document


def is_unavailable(value: object) -> bool:
    """Whether a column holds the placeholder for `unchanged`, in any of the forms of its types."""
    return value in _UNAVAILABLE


def _has_unavailable(row: dict[str, object]) -> bool:
    values = row.values()
    if UNAVAILABLE in values:
        return True
    return not _OTHER_FORMS.isdisjoint(map(type, values)) and any(form in values for form in _UNAVAILABLE)
