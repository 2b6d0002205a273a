"""The Debezium change-event envelope: which row, what happened to it, and where it stands in the order of the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from streams.engine.contract import RejectedError

UNAVAILABLE = "__debezium_unavailable_value"
"""Stands for a large (TOASTed) column that the change did not touch and the log does not hold."""

_LSN = re.compile(r"\d{1,20}", re.ASCII)

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


def position(event: dict[str, object]) -> tuple[int, int, int]:
    """Where a change stands in PostgreSQL's log: (log position, LSN of the change, 1 if it leaves a row).

    The log position is the higher of the last commit seen and the change's own LSN. Transactions are streamed in the order
    of their commits, and the second to change a row writes after the first has committed: so for one row this only grows,
    also within a transaction. A snapshot row has the LSN of its snapshot: after what was streamed before,
    before what follows. Without a `sequence` (older connectors) the LSN alone is used. A transaction id would not do: the
    changes of one transaction share it.

    An update of the primary key comes as a delete and a create of one LSN. Where other columns name the record, both are of
    one, which exists: so the delete is the earlier, whichever partition comes first.

    Raises RejectedError("missing-order").
    """
    source = event.get("source")
    if isinstance(source, dict):
        lsn, commit = _lsn(source.get("lsn")), None
        sequence = source.get("sequence")
        if isinstance(sequence, str) and len(sequence) < 100:
            commit, lsn = _sequence(sequence, lsn)
        if lsn is not None:
            return max(lsn, commit or 0), lsn, int(event.get("op") != "d")
    raise RejectedError("missing-order", "Debezium envelope: source has neither sequence nor lsn")


def _sequence(text: str, lsn: int | None) -> tuple[int | None, int | None]:
    try:
        parts = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, lsn
    if not isinstance(parts, list) or len(parts) != 2:
        return None, lsn
    change = _lsn(parts[1])
    return _lsn(parts[0]), lsn if change is None else change


def _lsn(value: object) -> int | None:
    if isinstance(value, str) and _LSN.fullmatch(value):
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**63 else None
