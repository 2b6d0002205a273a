from __future__ import annotations

import pytest

from connectors.mappings.debezium import UNAVAILABLE
from schemas.canonical import Attributes, Name
from schemas.messages import Order
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import mapping, named

HEAD = """
source: crm
format: debezium
realm: brand
record_id: id
"""
OF = mapping(
    "names: {given: first, family: last}\ngender: sex\nemails: {each: mails, value: .}\n"
    "characteristics: {note: note, tier: tier}",
    HEAD,
)


def row(**columns: object) -> dict[str, object]:
    return {"id": 1, "brand": "north", **columns}


def event(op: str | None, sequence: object = '["100","200"]', **parts: object) -> dict[str, object]:
    source = {"ts_ms": 1_704_067_200_000, "sequence": sequence, "lsn": 200, "txId": 7, "snapshot": "false"}
    return {"before": None, "after": None, "source": source, "op": op, "ts_ms": 1_704_067_200_412, **parts}


def change(document: object) -> object:
    found = OF.change(message(b""), document)
    assert found is not None
    return found


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_a_row_is_a_snapshot_of_its_record(op: str) -> None:
    found = OF.change(message(b""), event(op, after=row(first="John", sex="m")))
    assert found is not None
    assert (found.record, found.operation, found.cause.time) == ("north/crm/1", "snapshot", 1_704_067_200_000)
    assert named(found.attributes) == {
        "names": [Name(given="John")],
        "gender": "m",
        "emails": None,
        "characteristics": {"note": None, "tier": None},
    }


def test_an_envelope_may_come_with_its_schema() -> None:
    inner = event("c", after=row(sex="m"))
    assert change({"schema": {"type": "struct"}, "payload": inner}) == change(inner)


def test_a_delete_takes_its_record_from_before() -> None:
    found = OF.change(message(b""), event("d", before=row(first="John")))
    assert found is not None
    assert (found.record, found.operation, found.attributes) == ("north/crm/1", "delete", Attributes())


@pytest.mark.parametrize("key", [row(), {"schema": {}, "payload": row()}])
def test_a_delete_without_before_takes_its_record_from_the_key(key: object) -> None:
    found = OF.change(message(b""), event("d"), lambda: key)
    assert found is not None
    assert found.record == "north/crm/1"


def test_a_delete_of_no_known_record_is_rejected() -> None:
    with pytest.raises(RejectedError, match="missing-record-id"):
        OF.change(message(b""), event("d"))
    with pytest.raises(RejectedError, match="unknown-realm"):
        OF.change(message(b""), event("d"), lambda: {"id": 1})


@pytest.mark.parametrize("document", [None, {"ts_ms": 5}, event("m"), {"schema": {}, "payload": None}])
def test_tombstones_heartbeats_and_logical_messages_say_nothing(document: object) -> None:
    assert OF.change(message(b""), document) is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (event("t"), "truncate"),
        (event("x"), "unknown-operation"),
        ({"after": row()}, "unknown-operation"),
        (event("c"), "bad-value"),
        (event("c", after=row(), source=None), "missing-order"),
        (event("c", after=row(), source={}), "missing-order"),
        ([], "bad-value"),
    ],
)
def test_what_is_no_change_of_a_row_is_rejected(document: object, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        OF.change(message(b""), document)
    assert caught.value.reason == reason


def order(sequence: object, **source: object) -> Order:
    parts = {"sequence": sequence, "ts_ms": 1_704_067_200_000, **source}
    found = OF.change(message(b""), event("u", after=row(), source=parts))
    assert found is not None
    return found.order


def test_changes_of_a_row_are_ordered_within_and_between_transactions() -> None:
    first = [order('["100","200"]'), order('["100","210"]')]
    # The next transaction on the row writes only after the first has committed, at 220; another commits meanwhile, at 300.
    second = [order('["300","230"]'), order('["300","240"]'), order('["300","310"]')]
    for earlier, later in zip(first + second, (first + second)[1:], strict=False):
        assert earlier.is_stale_against(later)
        assert not later.is_stale_against(earlier)


def test_a_snapshot_row_is_older_than_what_follows_it_and_newer_than_what_was_streamed_before() -> None:
    before = order('["100","200"]')
    snapshot = order('[null,"250"]', snapshot="true")
    after = [order('[null,"260"]'), order('["100","260"]'), order('["255","260"]')]
    assert not snapshot.is_stale_against(before)
    assert not any(later.is_stale_against(snapshot) for later in after)
    assert all(snapshot.is_stale_against(later) for later in after)


def test_a_redelivered_change_is_stale() -> None:
    assert order('["100","200"]').is_stale_against(order('["100","200"]'))


@pytest.mark.parametrize("sequence", [None, "", "no json", "[]", '["a","b"]', "[" * 90, 7])
def test_without_a_sequence_the_lsn_orders_and_without_it_the_transaction(sequence: object) -> None:
    assert order(sequence, lsn=200, txId=7) == Order("lsn", (0, 200, 200))
    assert order(sequence, txId=7) == Order("lsn", (0, 7, 0))


@pytest.mark.parametrize("placeholder", [UNAVAILABLE, [UNAVAILABLE], UNAVAILABLE.encode()])
def test_an_unavailable_column_leaves_its_attribute_alone(placeholder: object) -> None:
    found = OF.change(message(b""), event("u", after=row(first="John", last="Smith", note=placeholder, mails=placeholder)))
    assert found is not None
    assert found.operation == "patch"
    assert named(found.attributes) == {
        "names": [Name(given="John", family="Smith")],
        "gender": None,
        "characteristics": {"tier": None},
    }


def test_an_attribute_of_several_columns_is_left_alone_when_one_is_unavailable() -> None:
    found = OF.change(message(b""), event("u", after=row(first="John", last=UNAVAILABLE)))
    assert found is not None
    assert "names" not in named(found.attributes)
