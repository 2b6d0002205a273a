from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, structs

from schemas.canonical import Attributes, Email, Name, Phone
from schemas.messages import (
    CUSTOMERS,
    IDENTITY,
    RECORDS,
    Cause,
    Grown,
    MemberAttached,
    MemberDetached,
    MembershipChanged,
    MemberUpdated,
    Order,
    RecordIdentity,
    SourceChange,
)
from schemas.position import lettered, numbered
from streams.engine.contract import RejectedError
from streams.engine.overlay import Overlay
from streams.records import BY_SOURCE, RECORD_ROWS, TALLIES, TALLY_KEY, RecordRow, Records, Tally, records_by_source, row_key
from tests.fakes import MemoryStore, RecordingOutbox, message

RECORD = "north/crm/1"


class Bench:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.out = RecordingOutbox()
        self.records = Records()

    def change(self, change: SourceChange) -> None:
        sent = message(RECORDS.encode(change), change.record.encode(), "records")
        self.records.prepare([sent], self.store)
        self.records.process(sent, self.store, self.out)

    def membership(self, sequence: int, customer: str | None, grown: Grown | None = None) -> None:
        moved = MembershipChanged(record=RECORD, sequence=sequence, customer=customer, cause=Cause("t/0/0", 0), grown=grown)
        self.records.process(message(RECORDS.encode(moved), RECORD.encode(), "records"), self.store, self.out)

    @property
    def row(self) -> RecordRow:
        return RECORD_ROWS.decode(self.store.rows[row_key(RECORD)])

    @property
    def tally(self) -> Tally:
        return TALLIES.decode(self.store.rows[TALLY_KEY])

    def told_identity(self) -> list[RecordIdentity]:
        found = [IDENTITY.decode(s.value or b"") for s in self.out.on("identity")]
        return [m for m in found if isinstance(m, RecordIdentity)]

    def told_customers(self) -> list[MemberAttached | MemberUpdated | MemberDetached]:
        found = [CUSTOMERS.decode(s.value or b"") for s in self.out.on("customers")]
        return [m for m in found if isinstance(m, MemberAttached | MemberUpdated | MemberDetached)]


def change(at: int, operation: str, *, scope: str = "seq", ref: str = "", **attributes: Any) -> SourceChange:
    return SourceChange(
        record=RECORD,
        operation=operation,  # type: ignore[arg-type]
        order=Order(scope, (at,)),
        attributes=Attributes(**attributes),
        cause=Cause(ref or f"t/0/{at}", at * 1000),
    )


# -- order --

values = st.sampled_from([None, "a", "b", "c"])
characteristics = st.one_of(st.none(), st.dictionaries(st.sampled_from("xyz"), values, max_size=3))
said = st.fixed_dictionaries({}, optional={"status": values, "gender": values, "characteristics": characteristics})
operations = st.sampled_from(["snapshot", "patch", "patch", "delete"])
histories = st.lists(st.tuples(operations, said), min_size=1, max_size=7)


def newest_writer_of_each(history: list[SourceChange]) -> tuple[bool, dict[str, object]]:
    """The record as it should be: for every attribute, what the last event in source order that names it says."""
    exists = False
    state: dict[str, object] = {}
    for event in sorted(history, key=lambda e: e.order.position):
        whole = event.operation != "patch"
        if whole:
            state = {}
        exists = event.operation != "delete"
        if event.operation == "delete":
            continue
        for name in ("status", "gender"):
            value = getattr(event.attributes, name)
            if value is not UNSET:
                state[name] = value
        new = event.attributes.characteristics
        if isinstance(new, dict):
            state |= {"x:" + key: value for key, value in new.items()}
    return exists, {name: value for name, value in state.items() if value is not None}


@given(histories, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_events_in_any_order_with_redeliveries_leave_the_record_as_its_newest_events_wrote_it(
    script: list[tuple[str, dict[str, Any]]], random: Any
) -> None:
    history = [
        change(at, operation, **({} if operation == "delete" else attributes))
        for at, (operation, attributes) in enumerate(script, 1)
    ]
    arrivals = [*history, *history[:2]]
    random.shuffle(arrivals)
    bench = Bench()
    for event in arrivals:
        bench.change(event)
    exists, expected = newest_writer_of_each(history)
    row = bench.row
    found: dict[str, object] = {n: v for n in ("status", "gender") if (v := getattr(row.attributes, n)) is not UNSET}
    kept = row.attributes.characteristics
    if isinstance(kept, dict):
        found |= {"x:" + key: value for key, value in kept.items()}
    assert (row.exists, found) == (exists, expected)
    assert bench.tally.records == exists
    assert bench.tally.events == len(arrivals)
    assert sum(records_by_source(bench.store).values()) == exists


def test_a_late_patch_is_kept_where_nothing_newer_has_written() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="active", gender="f"))
    bench.change(change(4, "patch", status="closed"))
    bench.change(change(3, "patch", status="barred", gender="x"))
    assert (bench.row.attributes.status, bench.row.attributes.gender) == ("closed", "x")
    assert (bench.tally.stale, bench.tally.partly_stale) == (0, 1)


def test_a_redelivered_event_is_stale_and_changes_nothing() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="active"))
    bench.out.take()
    before = bench.row
    bench.change(change(1, "snapshot", status="active"))
    assert bench.row == before
    assert bench.out.take() == []
    assert bench.tally.stale == 1


def test_an_event_whose_order_cannot_be_compared_is_accepted_and_counted() -> None:
    bench = Bench()
    bench.change(change(9, "snapshot", scope="p0", status="active"))
    bench.change(change(1, "snapshot", scope="p1", status="closed"))
    assert bench.row.attributes.status == "closed"
    assert bench.tally.incomparable == 1


# -- several events at one position: a source that counts milliseconds, or seconds --


def test_a_later_change_at_the_same_position_is_applied() -> None:
    bench = Bench()
    bench.change(change(5, "snapshot", ref="t/0/1", status="active"))
    bench.change(change(5, "snapshot", ref="t/0/2", status="closed"))
    bench.change(change(5, "delete", ref="t/0/3"))
    assert not bench.row.exists
    assert (bench.tally.stale, bench.tally.incomparable, bench.tally.records) == (0, 0, 0)


@given(histories, st.randoms(use_true_random=False), st.integers(1, 3))
@settings(max_examples=300)
def test_events_of_few_positions_in_any_order_with_redeliveries_leave_what_the_latest_of_each_wrote(
    script: list[tuple[str, dict[str, Any]]], random: Any, positions: int
) -> None:
    """The later offset is the newer, whichever comes first; a repetition under another offset is none."""
    history: list[SourceChange] = []
    for offset, (operation, attributes) in enumerate(script):
        at = 1 + offset * positions // len(script)
        event = change(at, operation, ref=f"t/0/{offset}", **({} if operation == "delete" else attributes))
        if not any(same(event, other) for other in history):
            history.append(event)
    arrivals = history.copy()
    random.shuffle(arrivals)
    repeated = [structs.replace(event, cause=Cause(f"t/0/{90 + n}", 0)) for n, event in enumerate(history)]
    random.shuffle(repeated)
    bench = Bench()
    for event in arrivals:
        bench.change(event)
    before = bench.row
    for event in repeated:
        bench.change(event)
    row = bench.row
    found: dict[str, object] = {n: v for n in ("status", "gender") if (v := getattr(row.attributes, n)) is not UNSET}
    kept = row.attributes.characteristics
    if isinstance(kept, dict):
        found |= {"x:" + key: value for key, value in kept.items()}
    assert (row.exists, found) == newest_writer_of_each(history)
    assert (row.attributes, row.exists, row.version) == (before.attributes, before.exists, before.version)
    assert bench.tally.incomparable == 0


def same(one: SourceChange, other: SourceChange) -> bool:
    """Whether two events repeat each other: one position and one content, which a snapshot has without its nulls."""

    def content(event: SourceChange) -> tuple[object, ...]:
        said = event.attributes
        named = [(name, getattr(said, name)) for name in ("status", "gender") if getattr(said, name) is not UNSET]
        named += sorted((said.characteristics or {}).items())
        stated = [pair for pair in named if pair[1] is not None or event.operation == "patch"]
        empties = event.operation == "patch" and said.characteristics is None
        return event.operation, event.order, tuple(stated), empties

    return content(one) == content(other)


@pytest.mark.parametrize("operation", ["snapshot", "patch"])
def test_sixteen_events_of_one_position_are_told_from_their_repetitions(operation: str) -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", ref="t/0/0", status="new"))
    events = [change(5, operation, ref=f"t/0/{n}", status=f"s{n}") for n in range(1, 17)]
    for event in events:
        bench.change(event)
    for n, event in enumerate(reversed(events)):
        bench.change(structs.replace(event, cause=Cause(f"t/0/{50 + n}", 0)))
    assert bench.row.attributes.status == "s16"
    assert bench.tally.stale == 16
    bench.change(change(5, operation, ref="t/0/99", status="s17"))
    assert bench.row.attributes.status == "s17"


def test_a_repetition_is_known_by_the_whole_event_not_by_one_attribute() -> None:
    bench = Bench()
    bench.change(change(5, "patch", ref="t/0/1", status="a", gender="f"))
    bench.change(change(5, "patch", ref="t/0/2", status="b"))
    bench.change(change(5, "patch", ref="t/0/3", status="a"))
    assert bench.row.attributes.status == "a"
    bench.change(change(5, "patch", ref="t/0/4", status="a", gender="f"))
    assert bench.tally.stale == 1


def test_a_patch_that_a_snapshot_of_its_position_has_replaced_stays_replaced_when_it_is_repeated() -> None:
    bench = Bench()
    patch = change(5, "patch", ref="t/0/2", status="patched")
    bench.change(change(4, "snapshot", ref="t/0/1", status="new"))
    bench.change(patch)
    bench.change(change(5, "snapshot", ref="t/0/3", status="whole"))
    bench.change(structs.replace(patch, cause=Cause("t/0/9", 0)))
    assert bench.row.attributes.status == "whole"
    assert bench.tally.stale == 1


def test_events_of_one_position_in_two_partitions_are_accepted_as_they_come_and_counted() -> None:
    bench = Bench()
    bench.change(change(5, "snapshot", ref="t/0/7", status="a"))
    bench.change(change(5, "snapshot", ref="t/1/3", status="b"))
    assert bench.row.attributes.status == "b"
    assert bench.tally.incomparable == 1
    bench.change(change(5, "snapshot", ref="t/0/8", status="a"))
    assert (bench.row.attributes.status, bench.tally.stale) == ("b", 1)


def test_the_rows_of_one_message_follow_one_another() -> None:
    bench = Bench()
    rows = [change(5, "snapshot", ref=f"t/0/7#{n}", status=f"s{n}") for n in range(3)]
    for row in rows + rows:
        bench.change(row)
    bench.change(change(5, "snapshot", ref="t/0/6", status="before"))
    assert (bench.row.attributes.status, bench.tally.stale) == ("s2", 4)


def test_the_offsets_of_two_topics_are_not_compared() -> None:
    bench = Bench()
    bench.change(change(900, "snapshot", scope="p0", ref="old/0/900", status="a"))
    bench.change(change(3, "snapshot", scope="p0", ref="new/0/3", status="b"))
    assert bench.row.attributes.status == "b"
    assert bench.tally.incomparable == 1


def test_a_stale_event_that_happened_later_than_what_it_is_stale_against_is_counted() -> None:
    """So it is where a database was restored, and its positions start again lower."""
    bench = Bench()
    bench.change(change(9, "snapshot", status="a"))
    bench.change(change(2, "snapshot", status="b"))
    assert bench.tally.backwards == 0
    bench.change(structs.replace(change(3, "snapshot", status="c"), cause=Cause("t/0/3", 9_001)))
    assert (bench.tally.stale, bench.tally.backwards) == (2, 1)


def test_positions_of_other_kinds_than_numbers_are_kept() -> None:
    bench = Bench()
    for place in (None, 7, numbered(10**40), lettered("a")):
        event = structs.replace(change(1, "snapshot", ref="t/0/1", status=repr(place)), order=Order("seq", (0, place)))
        bench.change(event)
        assert bench.row.base is not None
        assert (bench.row.base.order, bench.row.attributes.status) == (event.order, repr(place))
        versions = {RECORDS.encode(event)[0], bench.store.rows[row_key(RECORD)][0]}
        assert versions == ({1} if isinstance(place, int) else {2}), "0.1.0 must not take it for one of its own"
        bench.membership(1, "c1")
        assert bench.store.rows[row_key(RECORD)][0] in versions
    assert bench.tally.stale == 0


class FirstStamp(msgspec.Struct, array_like=True):
    """As 0.1.0 wrote it."""

    order: Order
    time: int


def test_what_the_first_release_wrote_at_a_position_is_met_there() -> None:
    old = FirstStamp(Order("seq", (5,)), 5000)
    for row in (
        {"exists": True, "base": old, "stamps": {}, "attributes": {"status": "a"}},
        {"exists": True, "base": None, "stamps": {"status": old, "(exists)": old}, "attributes": {"status": "a"}},
    ):
        bench = Bench()
        bench.store.rows[row_key(RECORD)] = b"\x01" + msgspec.msgpack.encode(row)
        bench.change(change(5, "snapshot" if row["base"] else "patch", ref="t/0/8", status="a"))
        assert bench.tally.stale == 1
        bench.change(change(6, "snapshot", ref="t/0/9", status="b"))
        assert bench.row.attributes.status == "b"


def test_a_patch_older_than_a_deletion_does_not_bring_the_record_back() -> None:
    for order in permutations([change(1, "snapshot", status="a"), change(3, "delete"), change(2, "patch", status="b")]):
        bench = Bench()
        for event in order:
            bench.change(event)
        assert not bench.row.exists
        assert bench.row.attributes == Attributes()


def test_every_value_carries_the_time_of_the_event_that_wrote_it() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="a", gender="f", characteristics={"x": "1", "y": "2"}))
    bench.change(change(2, "patch", status="b", characteristics={"y": "3"}))
    bench.membership(1, "c1")
    attached = bench.told_customers()[-1]
    assert isinstance(attached, MemberAttached)
    assert attached.times == {"status": 2000, "gender": 1000, "characteristics.x": 1000, "characteristics.y": 2000}


# -- what others are told --


def test_identity_hears_of_a_new_record_even_if_it_says_nothing_identifying() -> None:
    bench = Bench()
    bench.change(change(1, "patch", status="active"))
    assert [m.attributes for m in bench.told_identity()] == [Attributes()]


def test_identity_hears_only_of_changes_it_looks_at() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", names=[Name(given="Ann")], status="active"))
    bench.change(change(2, "snapshot", names=[Name(given="Ann")], status="closed"))
    bench.change(change(3, "patch", emails=[Email(value="a@b.c")]))
    bench.change(change(4, "delete"))
    bench.change(change(5, "delete"))
    told = bench.told_identity()
    assert [m.version for m in told] == [1, 3, 4]
    assert told[1].attributes == Attributes(names=[Name(given="Ann")], emails=[Email(value="a@b.c")])
    assert told[2].attributes is None
    assert bench.out.on("identity")[0].key == b"north"


def test_a_deletion_of_a_record_never_seen_is_remembered_but_told_to_nobody() -> None:
    bench = Bench()
    bench.change(change(5, "delete"))
    bench.change(change(4, "snapshot", names=[Name(given="Ann")]))
    assert bench.out.take() == []


def test_a_record_that_moves_is_detached_and_attached_with_rising_sequences() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", phones=[Phone(value="+441632960001")]))
    bench.membership(1, "c1")
    bench.change(change(2, "patch", status="x"))
    bench.membership(2, "c2")
    told = bench.told_customers()
    assert [(type(m), m.customer, m.sequence) for m in told] == [
        (MemberAttached, "c1", 1),
        (MemberUpdated, "c1", 2),
        (MemberDetached, "c1", 3),
        (MemberAttached, "c2", 4),
    ]
    assert [s.key for s in bench.out.on("customers")] == [b"c1", b"c1", b"c1", b"c2"]


def test_what_identity_expects_of_the_customer_is_told_with_the_record() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="a"))
    bench.membership(1, "c1", Grown(epoch=4, count=2, digest=7))
    bench.membership(2, "c1", Grown(epoch=5, count=2, digest=7))  # nothing new about the record, but of its customer
    bench.membership(3, "c1")
    told = [message for message in bench.told_customers() if isinstance(message, MemberAttached)]
    assert [(each.sequence, each.grown) for each in told] == [(1, Grown(4, 2, 7)), (2, Grown(5, 2, 7))]


def test_an_old_or_repeated_membership_is_ignored() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="a"))
    bench.membership(2, "c2")
    bench.out.take()
    bench.membership(2, "c3")
    bench.membership(1, "c1")
    assert bench.out.take() == []
    assert bench.row.customer == "c2"


def test_a_membership_never_leads_back_to_identity() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", names=[Name(given="Ann")]))
    bench.out.take()
    bench.membership(1, "c1")
    assert bench.out.on("identity") == []


def test_a_deleted_record_leaves_its_customer_when_identity_says_so() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="a"))
    bench.membership(1, "c1")
    bench.out.take()
    bench.change(change(2, "delete"))
    assert bench.told_customers() == []
    bench.membership(2, None)
    assert [type(m) for m in bench.told_customers()] == [MemberDetached]


def test_an_empty_message_is_rejected() -> None:
    bench = Bench()
    with pytest.raises(RejectedError, match="empty-message"):
        bench.records.process(message(None, b"k", "records"), bench.store, bench.out)


def test_a_member_is_attached_with_the_very_content_and_times_an_update_tells() -> None:
    bench = Bench()
    stated: dict[str, Any] = {
        "status": "active",
        "names": [Name(family="Ek")],
        "characteristics": {"segment": "gold", "tier": "1"},
    }
    bench.change(change(1, "snapshot", **stated))
    bench.change(change(2, "patch", status="closed", characteristics={"tier": "2"}))
    bench.membership(1, "c1")
    bench.change(change(3, "patch", gender="f"))
    attached, updated = bench.told_customers()
    assert isinstance(attached, MemberAttached)
    assert isinstance(updated, MemberUpdated)
    assert attached.attributes == Attributes(
        status="closed", names=[Name(family="Ek")], characteristics={"segment": "gold", "tier": "2"}
    )
    assert attached.times == {
        "status": 2000,
        "names": 1000,
        "characteristics.segment": 1000,
        "characteristics.tier": 2000,
    }
    assert updated.times == attached.times | {"gender": 3000}


def test_an_event_that_is_undone_leaves_nothing_in_the_counts() -> None:
    bench = Bench()
    overlay = Overlay(bench.store)
    sent = [message(RECORDS.encode(change(at, "snapshot", status=str(at))), RECORD.encode(), "records") for at in (1, 2, 3)]
    bench.records.prepare(sent, overlay)
    for index, each in enumerate(sent):
        overlay.mark()
        bench.records.process(each, overlay, bench.out)
        if index == 1:
            overlay.undo()
    assert TALLIES.decode(overlay.get(TALLY_KEY) or b"") == Tally(records=1, events=2, without_customer=1)
    assert RECORD_ROWS.decode(overlay.get(row_key(RECORD)) or b"").version == 2


def test_records_are_counted_by_realm_and_source_however_their_ids_look() -> None:
    bench = Bench()
    for record in ("north/crm/1", "north/crm/a/b/c", "north/billing/1", "south/crm/1"):
        bench.change(msgspec.structs.replace(change(1, "snapshot", status="a"), record=record))
    bench.change(msgspec.structs.replace(change(2, "snapshot", status="b"), record="north/crm/1"))
    bench.change(msgspec.structs.replace(change(2, "delete"), record="north/billing/1"))
    assert records_by_source(bench.store) == {("north", "crm"): 2, ("north", "billing"): 0, ("south", "crm"): 1}


def test_a_record_that_an_earlier_release_did_not_count_by_source_takes_nothing_away_when_it_is_deleted() -> None:
    bench = Bench()
    bench.change(change(1, "snapshot", status="a"))
    for key in [key for key in bench.store.rows if key.startswith(BY_SOURCE)]:
        del bench.store.rows[key]
    bench.change(change(2, "delete"))
    assert sum(records_by_source(bench.store).values()) == 0
    assert bench.tally.records == 0
