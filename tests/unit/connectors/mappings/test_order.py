"""What orders the events of one record, as each kind of source writes it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from schemas.documents import DocumentError
from schemas.messages import Order
from schemas.position import HIGHEST, LOWEST
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import HEAD, change, mapping

DEBEZIUM = """
source: crm
format: debezium
realm: {constant: north}
record_id: id
"""


def order(written: str, **event: object) -> Order:
    return change(mapping("gender: g", HEAD.replace("{sequence: n}", written)), event).order


def refusal(written: str, **event: object) -> str:
    with pytest.raises(RejectedError) as caught:
        order(written, **event)
    assert caught.value.reason == "missing-order"
    return caught.value.detail


def rises(orders: list[Order]) -> bool:
    return all((earlier.compare(later) or 0) < 0 for earlier, later in pairwise(orders))


# -- sequences --


@pytest.mark.parametrize(
    "rising",
    [
        [7, 2.0e10, "20000000001", 9223372036854775807, 9223372036854775808, 10**30],
        ["9223372036854775806", "9223372036854775809"],  # as signed words the second would come first
        ["4421584500000000017450439091", "4421584500000000017450439092", "44215845000000000174504390910"],  # DynamoDB
        ["00000000000000000000143", "00000000020030006526", "00000000020030006527"],  # GoldenGate
        ["20240502181731000000000000000000197", "20240502181731000000000000000000198"],  # Qlik
        ["00000027:00000758:0003", "00000027:00000758:000a", "00000027:00000759:0001", "0000002A:00000001:0001"],
        ["0/16B3748", "0/9FFFFFF", "0/16B37480", "1/0"],  # PostgreSQL: the width of each part varies
        ["0x00000027000007580003", "0x00000027000007580004"],
        ["0x001234.00012345.0124", "0x001234.00012346.0001"],  # a place in Oracle's redo log
        ["mysql-bin.000003", "mysql-bin.000004", "mysql-bin.999999", "mysql-bin.1000000"],
    ],
)
def test_positions_rise_as_their_source_counts(rising: list[object]) -> None:
    assert rises([order("{sequence: n}", n=number) for number in rising])


def test_a_number_has_one_order_however_it_is_written() -> None:
    assert len({order("{sequence: n}", n=number) for number in (12, "12", " 12 ", "0012", 12.0)}) == 1
    assert order("{sequence: n}", n=12) == Order("seq", (0, 12))


def test_hexadecimal_is_declared_where_it_may_look_decimal() -> None:
    assert rises([order("{sequence: {path: n, format: hex}}", n=n) for n in ("0000000009", "000000000a", "0x0b", 10, "ff")])
    assert "format: hex" in refusal("{sequence: n}", n="000000000a")


def test_text_of_a_declared_width_is_compared_as_text() -> None:
    written = "{sequence: {path: n, format: text, width: 6}}"
    assert rises([order(written, n=n) for n in ("0a-001", "0a-002", "0b-001")])
    assert "7 characters, and the mapping says width: 6" in refusal(written, n="0a-0010")


def test_a_place_may_have_alternatives_and_a_default() -> None:
    written = "{sequence: [{first: [commit, change], default: lowest}, {path: row, default: highest}]}"
    assert order(written, commit=None, change=5, row=1) == Order("seq", (0, 5, 1))
    assert order(written, commit=6, change=5) == Order("seq", (0, 6, HIGHEST))
    assert order(written, commit="", row=0) == Order("seq", (0, LOWEST, 0))
    assert order("{sequence: {path: n, default: 0}}", n=None) == Order("seq", (0, 0))
    assert rises([order(written), order(written, commit=-9, row=1), order(written, commit=-9)])


def test_a_file_of_another_servers_log_is_no_neighbour() -> None:
    assert order("{sequence: n}", n="mysql-bin.000003").compare(order("{sequence: n}", n="binlog.000002")) is None


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (None, "path n: nothing there. If rows of a first load have none, which are older than all that follows, write"),
        ("", "`order: {sequence: {path: n, default: lowest}}`"),
        ("x", "`order: {sequence: {path: n, format: text, width: 1}}`"),
        (
            "3e11fa47-71ca-11e1-9e33-c80aa9429562:23",
            "a GTID does not order changes. Write `order: {sequence: [/source.file, ",
        ),
        ("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n4e11fa47-71ca-11e1-9e33-c80aa9429562:1", "a GTID does not order"),
        ("0-1-42", "a GTID does not order"),
        ("2024-05-13 15:40:06", "a time, not a number. Write `order: {timestamp: n}`"),
        (1.5, "a whole number was expected"),
        (True, "a whole number was expected"),
        ([], "a whole number was expected"),
        ({}, "a whole number was expected"),
        (float("inf"), "a whole number was expected"),
        ("9" * 600, "a whole number was expected"),
        (10**4000, "too large"),
        (-(2**70), "too large"),
    ],
)
def test_what_does_not_order_is_refused_with_what_to_write(number: object, says: str) -> None:
    assert says in refusal("{sequence: n}", n=number)


def test_a_gtid_is_refused_when_the_mapping_is_read() -> None:
    with pytest.raises(DocumentError) as caught:
        mapping("gender: g", HEAD.replace("{sequence: n}", "{sequence: /source.gtid}"))
    assert "a GTID does not order changes: write order: {sequence: [/source.file, /source.pos, /source.row]}" in str(
        caught.value
    )


# -- times --


def test_a_time_far_ahead_of_the_log_orders_nothing() -> None:
    """Every later event would be older than it, until that day comes."""
    of = mapping("gender: g", HEAD.replace("{sequence: n}", "{timestamp: at}"))
    at = message(b"", timestamp=1_704_277_230_000)
    assert change(of, {"at": "2024-01-04T10:20:30Z"}, at).order.position == (0, 1_704_363_630_000_000)
    with pytest.raises(RejectedError) as caught:
        change(of, {"at": "2150-01-01T00:00:00Z"}, at)
    assert caught.value.reason == "bad-date"


def test_an_event_from_the_future_is_refused_whatever_orders_it() -> None:
    of = mapping("gender: g", f"{HEAD}\nevent_time: at")
    with pytest.raises(RejectedError) as caught:
        change(of, {"at": "2150-01-01T00:00:00Z"}, message(b"", timestamp=1_704_277_230_000))
    assert caught.value.reason == "bad-date"
    assert caught.value.detail.startswith("mapping test, event_time: a time more than a day after")


# -- logs of databases, by Debezium's connector --


def row(connector: str, op: str = "u", **source: object) -> dict[str, object]:
    after = None if op == "d" else {"id": 1}
    block = {"connector": connector, "ts_ms": 1_704_067_200_000, **source}
    return {"op": op, "before": {"id": 1}, "after": after, "source": block}


def position(event: dict[str, object]) -> Order:
    (found,) = mapping("gender: g", DEBEZIUM).changes(message(b""), event)
    return found.order


def binlog(op: str = "u", **source: object) -> dict[str, object]:
    return row(
        "mysql", op, **{"gtid": "3e11fa47-71ca-11e1-9e33-c80aa9429562:23", "file": "bin.000009", "pos": 4, "row": 0} | source
    )


def lsns(op: str = "u", commit: str | None = "00000027:00000758:0005", **source: object) -> dict[str, object]:
    return row("sqlserver", op, commit_lsn=commit, **source)


CHANGES = {
    "mysql": [
        binlog("r"),
        binlog(pos=5),
        binlog(pos=5, row=1),
        binlog(pos=104),
        binlog(file="bin.000010"),
        binlog(file="bin.1000000"),
    ],
    "mariadb": [row("mariadb", file="m.000001", pos=4, row=0, gtid="0-1-7"), row("mariadb", file="m.000001", pos=5, row=0)],
    "sqlserver": [
        lsns("r", change_lsn=None, event_serial_no=None),
        lsns(change_lsn="00000027:00000758:0003", event_serial_no=1),
        lsns(change_lsn="00000027:00000758:0003", event_serial_no=2),
        lsns(change_lsn="00000027:00000758:0004", event_serial_no=1),
        lsns(commit="00000027:00000759:0001", change_lsn="00000027:00000758:0002", event_serial_no=1),
        lsns(commit="0000002a:00000001:0001", change_lsn="00000027:00000758:0001", event_serial_no=1),
    ],
    "db2": [
        row("db2", commit_lsn="00000000:0000:01", change_lsn="00000000:0000:01"),
        row("db2", commit_lsn="00000000:0000:0a"),
    ],
    "oracle": [
        row("oracle", "r", scn="2122184"),
        row("oracle", scn="2122183", commit_scn="2122185", rs_id="001234.00012345.0124", ssn=0),
        row("oracle", scn="2122183", commit_scn="2122185", rs_id="001234.00012345.0124", ssn=1),
        row("oracle", scn="2122183", commit_scn="2122185", rs_id="001234.00012346.0001", ssn=0),
        row("oracle", scn="2122180", commit_scn="2122186", rs_id="001234.00000001.0001", ssn=0),
    ],
    "mongodb": [row("mongodb", ord=1), row("mongodb", ord=22), row("mongodb", ts_ms=1_704_067_201_000, ord=1)],
    "postgresql": [
        row("postgresql", "r", sequence='[null,"99"]', lsn=99),
        row("postgresql", sequence='["99","100"]', lsn=100),
    ],
}


@pytest.mark.parametrize("connector", CHANGES)
def test_debezium_events_are_ordered_by_the_log_of_their_database(connector: str) -> None:
    assert rises([position(event) for event in CHANGES[connector]])


@pytest.mark.parametrize("connector", CHANGES)
def test_the_delete_and_the_create_of_a_new_key_are_ordered_though_they_share_a_position(connector: str) -> None:
    last = CHANGES[connector][-1]
    assert rises([position(last | {"op": "d", "after": None}), position(last | {"op": "c"})])


def test_postgresql_keeps_the_order_it_had_in_the_first_release() -> None:
    event = row("postgresql", sequence='["90","100"]', lsn=100)
    assert position(event) == Order("lsn", (0, 100, 100, 1))
    del event["source"]["connector"]  # type: ignore[attr-defined]
    assert position(event) == Order("lsn", (0, 100, 100, 1))


def test_a_row_read_again_by_an_incremental_snapshot_undoes_nothing_and_is_not_refused() -> None:
    change = position(row("postgresql", sequence='["100","120"]', lsn=120))
    with_commit = position(row("postgresql", "r", sequence='["100",null]', lsn=None))
    without = position(row("postgresql", "r", sequence="[null,null]", lsn=None))
    assert rises([without, with_commit, change])


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (binlog(file=None), "source has no file and pos"),
        (row("sqlserver", change_lsn="00000027:00000758:0003"), "source has no commit_lsn"),
        (row("oracle", scn=None), "source has no commit_scn and no scn"),
        (row("oracle", scn="0x5"), "scn and commit_scn are whole numbers"),
        (row("mongodb"), "`order: {timestamp: {path: /source.ts_ms, format: epoch_ms}}`"),
        (
            row("vitess", vgtid="[]"),
            "connector vitess have no position that orders them. Name what does in the mapping, such as `order: ",
        ),
        (
            row("postgresql", txId=7),
            "source has no sequence and no lsn. If the connector leaves it out, have it sent, or write in",
        ),
        (row("something"), "the mapping `order: {log: true}`"),
        (row("") | {"source": None}, "source has no sequence and no lsn"),
    ],
)
def test_an_event_without_a_position_is_refused_with_what_to_write(event: dict[str, object], says: str) -> None:
    with pytest.raises(RejectedError) as caught:
        position(event)
    assert caught.value.reason == "missing-order"
    assert says in caught.value.detail


def test_a_declared_sequence_of_a_snapshot_row_is_below_what_was_streamed() -> None:
    of = mapping(
        "gender: g", f"{DEBEZIUM}order: {{sequence: [/source.commit_lsn, /source.change_lsn, /source.event_serial_no]}}"
    )
    events = [CHANGES["sqlserver"][0], *CHANGES["sqlserver"][1:]]
    assert rises([of.changes(message(b""), event)[0].order for event in events])


def test_only_text_that_is_compared_has_a_width() -> None:
    for written in ("{sequence: {path: n, format: text}}", "{sequence: {path: n, width: 3}}", "{sequence: {default: 1}}"):
        with pytest.raises(DocumentError):
            mapping("gender: g", HEAD.replace("{sequence: n}", written))
