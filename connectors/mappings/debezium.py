"""The Debezium change-event envelope: which row, what happened to it, and where it stands in the order of the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from connectors.mappings.connect import open_payload
from connectors.mappings.mongodb import document, is_mongodb, key_row, update_row
from streams.engine.contract import RejectedError


class RowChange(NamedTuple):
    """What an event says of one row."""

    row: object  # of a delete: what was there before, or the key (perhaps a scalar) if the log does not hold it
    deleted: bool
    before: dict[str, object] | None = None  # of an update: the row it changed, if the log holds it
    patch: bool = False  # the row holds only what changed
    columns: bool = True  # the row has every column of its table


def open_envelope(event: dict[str, object], read_key: Callable[[], object]) -> RowChange | None:
    """None for a heartbeat or a logical message. Raises RejectedError for a truncate or what is no envelope.

    A JSON converter with schemas enabled wraps the envelope once more: see `connect.py`.
    """
    operation = event.get("op")
    if operation in ("c", "u", "r"):  # a tuple: what the source wrote may be a list, which no set can hold
        return _written(event, operation, read_key)
    if operation == "d":
        return _deleted(event, read_key)
    if operation == "t":
        raise RejectedError("truncate", "Debezium envelope: the table was truncated, which deletes no record by itself")
    if operation == "m" or (operation is None and not event.keys() & {"before", "after"}):
        return None
    raise RejectedError("unknown-operation", "Debezium envelope: op is none of c, u, r, d, t, m")


def _written(event: dict[str, object], operation: object, read_key: Callable[[], object]) -> RowChange | None:
    after = event.get("after")
    row = document(after)
    if row is None:
        if after is None and operation == "u" and is_mongodb(event):
            return _document_update(event, read_key)
        raise RejectedError("bad-value", "Debezium envelope: no row in after")
    before = document(event.get("before")) if operation == "u" else None
    return RowChange(row, deleted=False, before=before, columns=not is_mongodb(event))


def _document_update(event: dict[str, object], read_key: Callable[[], object]) -> RowChange | None:
    """Of MongoDB, where the connector sends what changed. Without that the document was gone: its delete follows."""
    row = update_row(event.get("updateDescription"))
    if row is None:
        return None
    key = key_row(open_payload(read_key()).payload)
    if key is None:
        raise RejectedError("missing-record-id", "Debezium envelope: an update with neither after nor a key with the id")
    return RowChange(row | key, deleted=False, patch=True, columns=False)


def _deleted(event: dict[str, object], read_key: Callable[[], object]) -> RowChange:
    row: object = document(event.get("before"))
    if row is None:
        key = open_payload(read_key()).payload
        row = key_row(key) if is_mongodb(event) else key
    if row is None:
        raise RejectedError(
            "missing-record-id",
            "Debezium envelope: a delete with neither a row in before nor a message's key that names it",
        )
    return RowChange(row, deleted=True)
