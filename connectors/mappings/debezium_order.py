"""Where a Debezium event stands in the log of its database."""

from __future__ import annotations

import re

import msgspec

from streams.engine.contract import RejectedError

_LSN = re.compile(r"\d{1,20}", re.ASCII)


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
