"""Where a Debezium event stands in the log of its database, for each connector whose log orders the changes of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import msgspec

from connectors.mappings.places import LOG_FILE, number_places
from connectors.mappings.unfit import UnfitError
from schemas.position import LOWEST, Position

Source: TypeAlias = dict[str, Any]
"""The `source` block of an envelope."""


class LogPosition(NamedTuple):
    scope: str  # positions of different scopes are incomparable
    position: Position


class _Log(NamedTuple):
    """The log of one kind of database."""

    read: Callable[
        [Source, bool], LogPosition | None
    ]  # (source block, whether it is a row of a snapshot) -> None: it has none
    fields: str  # what it is read from
    by_hand: str  # what one writes instead, where these fields are gone


def log_position(event: dict[str, object]) -> LogPosition:
    """A change's position in the log of its database, and 1 behind it if the change leaves a row, else 0.

    An update of the primary key comes as a delete and a create of one position. Where other columns name the record, both
    are of one, which exists: so the delete is the earlier, whichever partition comes first.

    Rows of a snapshot (`op: r`) have the position of their snapshot: newer than what was streamed before, older than what
    follows. What such a row lacks is below everything.

    Raises UnfitError("missing-order"), which says what to write in the mapping.
    """
    source = event.get("source")
    source = source if isinstance(source, dict) else {}
    connector = source.get("connector")
    log = _LOGS.get(connector) if isinstance(connector, str) else None
    if log is None:
        if isinstance(connector, str) and connector in _WITHOUT_ORDER:
            raise UnfitError(
                "missing-order",
                f"changes of Debezium's connector {connector} have no position that orders them. {_LAST_RESORT}",
            )
        log = next((log for log in _BY_FIELDS if log.read(source, False)), _POSTGRES)
    try:
        found = log.read(source, event.get("op") == "r")
    except UnfitError as error:
        raise UnfitError("missing-order", f"Debezium envelope, source: {error.what}. {_write(log)}") from error
    if found is None:
        raise UnfitError("missing-order", f"Debezium envelope: source has no {log.fields}. {_write(log)}")
    return LogPosition(found.scope, (*found.position, int(event.get("op") != "d")))


_LAST_RESORT = "Name what does in the mapping, such as `order: {sequence: version}`; the last resort is `order: {log: true}`"


def _write(log: _Log) -> str:
    return f"If the connector leaves it out, have it sent, or write in the mapping `{log.by_hand}`, the last resort"


def _postgres(source: Source, snapshot: bool) -> LogPosition | None:
    """The higher of the last commit seen and the change's own LSN, then that.

    Transactions are streamed in the order of their commits, and the second to change a row writes after the first has
    committed: so for one row this only grows, also within a transaction. Without a `sequence` (older connectors) the LSN
    alone is used. A transaction id would not do: the changes of one transaction share it. A row read by an incremental
    snapshot may have the last commit alone, or nothing.
    """
    lsn, commit = _whole(source.get("lsn")), None
    sequence = source.get("sequence")
    if isinstance(sequence, str) and len(sequence) < 100:
        commit, change = _sequence(sequence)
        lsn = lsn if change is None else change
    if lsn is None and snapshot:
        lsn = commit
    if lsn is None:
        return LogPosition("lsn", (LOWEST, LOWEST)) if snapshot else None
    return LogPosition("lsn", (max(lsn, commit or 0), lsn))


def _sequence(text: str) -> tuple[int | None, int | None]:
    try:
        parts = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, None
    if not isinstance(parts, list) or len(parts) != 2:
        return None, None
    return _whole(parts[0]), _whole(parts[1])


def _binlog(source: Source, snapshot: bool) -> LogPosition | None:
    """File, position in it, and row of its event. Files are numbered; one of another name is another server's."""
    match = LOG_FILE.fullmatch(source["file"]) if isinstance(source.get("file"), str) else None
    position, row = _whole(source.get("pos")), _whole(source.get("row"))
    if match is None or position is None:
        return LogPosition("binlog", (LOWEST, LOWEST, LOWEST)) if snapshot else None
    return LogPosition(f"binlog:{match['name']}", (int(match["number"]), position, row or 0))


def _lsns(source: Source, snapshot: bool) -> LogPosition | None:
    """SQL Server, Db2, Informix: the commit, then the change within it. A row of a snapshot has the commit alone."""
    commit, change = source.get("commit_lsn"), source.get("change_lsn")
    if commit is None:
        return LogPosition("commit_lsn", (LOWEST,)) if snapshot else None
    places = number_places(commit, "commit_lsn")
    within = (LOWEST,) * len(places) if change is None else number_places(change, "change_lsn")
    serial = _whole(source.get("event_serial_no"))
    return LogPosition("commit_lsn", (*places, *within, LOWEST if serial is None else serial))


def _scn(source: Source, snapshot: bool) -> LogPosition | None:
    """Oracle: the commit's system change number, the change's own, and its place in the redo log. A row of a snapshot has
    one number: what was committed by then is in it."""
    scn, commit = source.get("scn"), source.get("commit_scn")
    if scn is None and commit is None:
        return LogPosition("scn", (LOWEST,)) if snapshot else None
    first, second = _one_scn(scn if commit is None else commit), _one_scn(commit if scn is None else scn)
    redo = source.get("rs_id")
    redo_places = number_places(redo.strip(), "rs_id") if isinstance(redo, str) and redo.strip() else (LOWEST,) * 3
    serial = _whole(source.get("ssn"))
    return LogPosition("scn", (first, second, *redo_places, LOWEST if serial is None else serial))


def _one_scn(value: object) -> int:
    """Of several, one for each thread of the redo log, the first."""
    number = _whole(value.partition(",")[0].partition(":")[0] if isinstance(value, str) else value)
    if number is None:
        raise UnfitError("missing-order", "scn and commit_scn are whole numbers")
    return number


def _oplog(source: Source, snapshot: bool) -> LogPosition | None:
    """MongoDB: the second of the operation's cluster time, as ms, and its number within that second."""
    time, number = _whole(source.get("ts_ms")), _whole(source.get("ord"))
    if number is None and not snapshot:
        return None
    return LogPosition("oplog", (LOWEST if time is None else time, LOWEST if number is None else number))


def _whole(value: object) -> int | None:
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdecimal():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**63 else None


_POSTGRES = _Log(_postgres, "sequence and no lsn", "order: {log: true}")
_BINLOG = _Log(_binlog, "file and pos", "order: {log: true}")
_COMMIT_LSN = _Log(_lsns, "commit_lsn", "order: {log: true}")
_ORACLE = _Log(_scn, "commit_scn and no scn", "order: {log: true}")
_MONGODB = _Log(_oplog, "ord", "order: {timestamp: {path: /source.ts_ms, format: epoch_ms}}")

_LOGS = {
    "postgresql": _POSTGRES,
    "yugabytedb": _POSTGRES,
    "mysql": _BINLOG,
    "mariadb": _BINLOG,
    "sqlserver": _COMMIT_LSN,
    "db2": _COMMIT_LSN,
    "informix": _COMMIT_LSN,
    "oracle": _ORACLE,
    "mongodb": _MONGODB,
}
_BY_FIELDS = (_POSTGRES, _BINLOG, _COMMIT_LSN, _ORACLE, _MONGODB)
_WITHOUT_ORDER = frozenset({"vitess", "cassandra", "spanner", "cockroachdb"})
