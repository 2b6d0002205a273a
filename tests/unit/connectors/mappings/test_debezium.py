from __future__ import annotations

import pytest

from connectors.mappings import load_mapping, shipped_mapping
from connectors.mappings.mapping import Mapping
from connectors.mappings.unchanged import UNAVAILABLE
from schemas.canonical import Attributes, Name
from schemas.messages import RECORDS, Order, SourceChange
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import mapping, named, stale

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
    return {"id": 1, "brand": "north"} | columns


def event(op: str | None, sequence: object = '["100","200"]', **parts: object) -> dict[str, object]:
    source = {"ts_ms": 1_704_067_200_000, "sequence": sequence, "lsn": 200, "txId": 7, "snapshot": "false"}
    return {"before": None, "after": None, "source": source, "op": op, "ts_ms": 1_704_067_200_412, **parts}


def change(document: object, key: object = None, of: Mapping = OF) -> SourceChange:
    """The one change that an envelope brings."""
    (found,) = of.changes(message(b""), document, lambda: key)
    return found


def update(before: object, after: object, of: Mapping = OF) -> list[tuple[str, str]]:
    """Record and operation of the changes that an update brings."""
    return [(found.record, found.operation) for found in of.changes(message(b""), event("u", before=before, after=after))]


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_a_row_is_a_snapshot_of_its_record(op: str) -> None:
    found = change(event(op, after=row(first="John", sex="m")))
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
    found = change(event("d", before=row(first="John")))
    assert (found.record, found.operation, found.attributes) == ("north/crm/1", "delete", Attributes())


@pytest.mark.parametrize("key", [row(), {"schema": {}, "payload": row()}])
def test_a_delete_without_before_takes_its_record_from_the_key(key: object) -> None:
    assert change(event("d"), key).record == "north/crm/1"


def test_a_delete_of_no_known_record_is_rejected() -> None:
    with pytest.raises(RejectedError, match="missing-record-id"):
        change(event("d"))
    with pytest.raises(RejectedError, match="unknown-realm"):
        change(event("d"), {"id": 1})


@pytest.mark.parametrize("document", [None, {"ts_ms": 5}, event("m"), {"schema": {}, "payload": None}])
def test_tombstones_heartbeats_and_logical_messages_say_nothing(document: object) -> None:
    assert OF.changes(message(b""), document) == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (event("t"), "truncate"),
        (event("x"), "unknown-operation"),
        ({"after": row()}, "unknown-operation"),
        (event("c"), "bad-value"),
        (event("c", after=row(), source=None), "missing-order"),
        (event("c", after=row(), source={}), "missing-order"),
        (event("c", after=row(), source={"txId": 7}), "missing-order"),
        ([], "bad-value"),
    ],
)
def test_what_is_no_change_of_a_row_is_rejected(document: object, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        change(document)
    assert caught.value.reason == reason


def test_an_update_that_makes_another_record_of_a_row_deletes_the_old_one_first() -> None:
    moved = row(brand="south")
    assert update(row(sex="m"), moved) == [("north/crm/1", "delete"), ("south/crm/1", "snapshot")]
    assert update(row(), row(id=2)) == [("north/crm/1", "delete"), ("north/crm/2", "snapshot")]
    left, now = OF.changes(message(b""), event("u", before=row(sex="m"), after=moved))
    assert (left.order, left.cause, left.attributes) == (now.order, now.cause, Attributes())


def test_no_record_of_a_row_that_moved_outlives_its_row() -> None:
    crm = load_mapping(shipped_mapping("crm"))
    moved = row(brand="south")
    told = [
        event("c", '["100","200"]', after=row()),
        event("u", '["210","220"]', before=row(), after=moved),
        event("d", '["230","240"]', before=moved),
    ]
    latest = {found.record: found.operation for document in told for found in crm.changes(message(b""), document)}
    assert latest == {"north/crm/1": "delete", "south/crm/1": "delete"}


@pytest.mark.parametrize(
    ("head", "old", "new"),
    [
        (HEAD.replace("record_id: id", "record_id: {concat: [type, id]}"), {"type": "A"}, {"type": "B"}),
        (HEAD.replace("realm: brand", "realm: {path: /after.brand}"), {}, {"brand": "south"}),
        (HEAD.replace("realm: brand", "realm: {path: brand, default: north}"), {"brand": None}, {"brand": "south"}),
        (HEAD.replace("source: crm", "source: {path: system}"), {"system": "old"}, {"system": "new"}),
    ],
)
def test_the_old_record_is_found_wherever_its_key_is_read_from(
    head: str, old: dict[str, object], new: dict[str, object]
) -> None:
    of = mapping("gender: sex", head)
    before = row() | old
    (left, deleted), (now, _) = update(before, before | new, of)
    assert (change(event("c", after=before), of=of).record, "delete") == (left, deleted)
    assert change(event("c", after=before | new), of=of).record == now
    assert len(update(before, before | {"sex": "m"}, of)) == 1


def test_a_row_that_is_moved_and_marked_as_deleted_leaves_no_record() -> None:
    of = mapping("gender: sex", f"{HEAD}\ndelete_when: {{path: gone, equals: true}}")
    moved = row(brand="south", gone=True)
    assert update(row(), moved, of) == [("north/crm/1", "delete"), ("south/crm/1", "delete")]


@pytest.mark.parametrize("before", [None, {}, {"id": 1}, {"id": 1, "brand": None}, {"id": 1, "brand": {}}, row(brand="w/")])
def test_a_before_that_does_not_tell_the_old_record_is_no_fault_of_the_update(before: object) -> None:
    assert update(before, row()) == [("north/crm/1", "snapshot")]


def test_a_default_is_no_guess_at_a_column_that_before_lacks() -> None:
    of = mapping("gender: sex", HEAD.replace("realm: brand", "realm: {path: brand, default: north}"))
    assert update({"id": 1}, row(brand="south"), of) == [("south/crm/1", "snapshot")]


def test_a_column_that_is_not_the_key_makes_no_other_record() -> None:
    spelt = {"id": " 1 ", "brand": "north"}
    assert update(row(sex="f"), row(sex="m")) == update(spelt, row()) == [("north/crm/1", "snapshot")]


def order(sequence: object, **source: object) -> Order:
    parts = {"sequence": sequence, "ts_ms": 1_704_067_200_000, **source}
    return change(event("u", after=row(), source=parts)).order


def test_changes_of_a_row_are_ordered_within_and_between_transactions() -> None:
    first = [order('["100","200"]'), order('["100","210"]')]
    # The next transaction on the row writes only after the first has committed, at 220; another commits meanwhile, at 300.
    second = [order('["300","230"]'), order('["300","240"]'), order('["300","310"]')]
    for earlier, later in zip(first + second, (first + second)[1:], strict=False):
        assert stale(earlier, later)
        assert not stale(later, earlier)


def test_a_snapshot_row_is_older_than_what_follows_it_and_newer_than_what_was_streamed_before() -> None:
    before = order('["100","200"]')
    snapshot = order('[null,"250"]', snapshot="true")
    after = [order('[null,"260"]'), order('["100","260"]'), order('["255","260"]')]
    assert not stale(snapshot, before)
    assert not any(stale(later, snapshot) for later in after)
    assert all(stale(snapshot, later) for later in after)


def test_a_new_primary_key_is_a_delete_and_then_a_create_though_they_share_an_lsn() -> None:
    deleted, created = change(event("d", before=row())), change(event("c", after=row()))
    assert (deleted.record, deleted.operation, created.operation) == (created.record, "delete", "snapshot")
    assert stale(deleted.order, created.order)
    assert not stale(created.order, deleted.order)
    assert RECORDS.decode(RECORDS.encode(deleted)) == deleted


def test_a_redelivered_change_is_stale() -> None:
    assert stale(order('["100","200"]'), order('["100","200"]'))


@pytest.mark.parametrize("sequence", [None, "", "no json", "[]", '["a","b"]', "[" * 90, 7])
def test_without_a_sequence_the_lsn_orders(sequence: object) -> None:
    assert order(sequence, lsn=200, txId=7) == Order("lsn", (0, 200, 200, 1))


@pytest.mark.parametrize("placeholder", [UNAVAILABLE, [UNAVAILABLE], UNAVAILABLE.encode()])
def test_an_unavailable_column_leaves_its_attribute_alone(placeholder: object) -> None:
    found = change(event("u", after=row(first="John", last="Smith", note=placeholder, mails=placeholder)))
    assert found.operation == "patch"
    assert named(found.attributes) == {
        "names": [Name(given="John", family="Smith")],
        "gender": None,
        "characteristics": {"tier": None},
    }


def test_an_attribute_of_several_columns_is_left_alone_when_one_is_unavailable() -> None:
    found = change(event("u", after=row(first="John", last=UNAVAILABLE)))
    assert "names" not in named(found.attributes)
