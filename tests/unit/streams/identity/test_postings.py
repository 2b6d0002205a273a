"""A match key's state is a pure function of who holds it now, however many came and went."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.contract import DamagedStoreError
from streams.identity.desk import Desk, EvidenceMemory
from streams.identity.links import another_holder, holders
from streams.identity.model import KeyKind, MatchKey
from streams.identity.postings import Change, KeyState, add_all, remove, state
from streams.identity.rows import Keys, PostingRow
from tests.fakes import MemoryStore
from tests.unit.streams.identity.fake_matcher import KINDS, Card, FakeMatcher, match_key

LARGE_BLOCK = 3


def add(desk: Desk[Card], key: MatchKey, record: str, name: bytes) -> Change | None:
    return next(iter(add_all(desk, [key], record, name)), None)


def desk_of(store: MemoryStore) -> Desk[Card]:
    matcher = FakeMatcher()
    return Desk(Keys("north"), store, matcher, EvidenceMemory(matcher), LARGE_BLOCK)


def expected(kind: KeyKind, names: dict[str, bytes]) -> KeyState:
    if kind.links:
        return KeyState(on=False, generic=False)
    on = len(names) <= kind.limit
    distinct = len({name for name in names.values() if name})
    return KeyState(on, generic=bool(kind.distinct_names) and (not on or distinct > kind.distinct_names))


@pytest.mark.parametrize("kind", ["a", "b", "hub"])
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_state_and_holders_follow_from_who_holds_the_key_now(kind: str, seed: int) -> None:
    random, store, key = Random(seed), MemoryStore(), match_key(kind, "1")
    names: dict[str, bytes] = {}
    for _ in range(30):
        desk, before = desk_of(store), expected(KINDS[kind], names)
        record = random.choice([f"crm/{n}" for n in range(8)])
        change: Change | None = None
        if record in names and random.random() < 0.6:
            del names[record]
            change = remove(desk, key, record)
        else:
            names[record] = random.choice([b"", b"ann", b"bob", b"cyd"])
            change = add(desk, key, record, names[record])
        desk.write()
        after = expected(KINDS[kind], names)
        assert (change is None) == (before == after)
        if change is not None:
            assert (change.before, change.after, set(change.holders)) == (before, after, set(names))
        again = desk_of(store)
        posting = again.postings[key]
        assert posting.count == len(names)
        assert state(KINDS[kind], posting) == after
        told = names if KINDS[kind].distinct_names else dict.fromkeys(names, b"")
        assert posting.members == (told if len(names) <= (LARGE_BLOCK if kind == "hub" else KINDS[kind].limit) else {})
        if kind == "hub":
            assert set(holders(again, key)) == set(names)
            assert (another_holder(again, key, record) in set(names) - {record}) == bool(set(names) - {record})
    for record in list(names):
        desk = desk_of(store)
        remove(desk, key, record)
        desk.write()
    assert not [row for row in store.rows if b"/p/" in row or b"/o/" in row]


def test_a_value_is_generic_by_distinct_names_and_records_without_a_name_do_not_count() -> None:
    kind = KeyKind("phone", ord("p"), limit=10, distinct_names=2)
    same = {f"crm/{n}": b"ann" for n in range(8)}
    assert not state(kind, PostingRow(8, same)).generic
    assert not state(kind, PostingRow(3, {"crm/1": b"ann", "crm/2": b"bob", "crm/3": b""})).generic
    assert state(kind, PostingRow(3, {"crm/1": b"ann", "crm/2": b"bob", "crm/3": b"cyd"})).generic


def test_one_holder_more_of_an_oversize_key_writes_a_few_bytes() -> None:
    store, key = MemoryStore(), match_key("c", "1")
    for number in range(100):
        desk = desk_of(store)
        add(desk, key, f"crm/{number}", b"name")
        desk.write()
    before = dict(store.rows)
    desk = desk_of(store)
    add(desk, key, "crm/new", b"name")
    desk.write()
    assert sum(len(value) for row, value in store.rows.items() if before.get(row) != value) < 20


def test_evidence_is_remembered_by_its_bytes_so_an_undone_write_cannot_fool_it() -> None:
    store, matcher = MemoryStore(), FakeMatcher()
    memory = EvidenceMemory(matcher)
    keys = Keys("north")
    first, second = (memory.encode(Card(name), matcher.keys(Card(name), b"")) for name in ("ann", "bob"))
    Desk(keys, store, matcher, memory, LARGE_BLOCK).put_evidence("crm/1", first)
    undone = MemoryStore(dict(store.rows))
    Desk(keys, undone, matcher, memory, LARGE_BLOCK).put_evidence("crm/1", second)
    assert Desk(keys, undone, matcher, memory, LARGE_BLOCK).evidence("crm/1").features.name == "bob"
    assert Desk(keys, store, matcher, memory, LARGE_BLOCK).evidence("crm/1").features.name == "ann"


def test_damaged_state_is_told_without_a_record_key() -> None:
    desk = desk_of(MemoryStore())
    for broken in (desk.record, desk.evidence):
        with pytest.raises(DamagedStoreError) as told:
            broken("crm/secret")
        assert "secret" not in str(told.value)
