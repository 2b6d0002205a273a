"""Whatever happens to a realm, its edges and its grouping are those its live records alone would have."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.messages import RECORDS, VERSION, Grown, MembershipChanged, UnknownVersionError, member_digest_of
from streams.engine.contract import RejectedError
from tests.fakes import RecordingOutbox, message
from tests.unit.streams.identity import oracle
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher
from tests.unit.streams.identity.realm import LARGE_BLOCK, LIMITS, NAME, SETTINGS, Realm
from tests.unit.streams.identity.walks import FLAVOURS, history, walk

FLOOR = FakeMatcher().thresholds(0).review


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_edges_and_groups_are_those_of_the_live_records(flavour: str) -> None:
    for seed in range(15):
        realm = Realm()
        walk(realm, history(FLAVOURS[flavour], seed))
        assert realm.edges() == oracle.edges(realm.cards, FLOOR), seed
        realm.check_entities()
        realm.settle()
        assert realm.groups() == oracle.grouping(realm.cards, LARGE_BLOCK, LIMITS), seed
        realm.check_entities()


def hard_input() -> list[tuple[str, int, Card | None]]:
    """Every event of a small realm (record, version, content): limits and size classes are crossed, people contradict."""
    random = Random(5)
    values = [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
        ("b", "2"),
        ("c", "1"),
        ("c", "2"),
        ("hub", "1"),
        ("number", "1"),
        ("number", "2"),
    ]
    events: list[tuple[str, int, Card | None]] = []
    for number in range(18):
        for version in range(1, random.randint(2, 4)):
            told = tuple(sorted(random.sample(values, random.randint(1, 4))))
            deleted = version > 1 and random.random() < 0.25
            card = None if deleted else Card(random.choice("abc"), random.choice(["", "red", "blue"]), told)
            events.append((f"crm/{number}", version, card))
    return events


EVENTS = hard_input()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_arrival_never_matters(seed: int) -> None:
    """Shuffled over all versions (older ones arriving late are ignored), duplicated, in batches, regrouped now and then."""
    random = Random(seed)
    realm = Realm()
    events = [*EVENTS, *random.sample(EVENTS, 5)]
    random.shuffle(events)
    while events:
        batch = [events.pop() for _ in range(min(len(events), random.randint(1, 6)))]
        values = [realm.identity_at(record, version, card) for record, version, card in batch]
        if realm.waiting and random.random() < 0.4:
            values.insert(random.randint(0, len(values)), realm.waiting.pop(random.randrange(len(realm.waiting))))
        realm.send(*values)
    realm.settle()
    last = {record: card for record, _, card in sorted(EVENTS, key=lambda event: event[1])}
    live = {record: card for record, card in last.items() if card is not None}
    assert realm.groups() == oracle.grouping(live, LARGE_BLOCK, LIMITS)
    assert max(len(group) for group in realm.groups()) > LARGE_BLOCK
    realm.check_entities()


def test_a_message_delivered_again_changes_nothing() -> None:
    realm = Realm()
    first = realm.identity("crm/1", Card("ann", values=(("c", "1"),)))
    second = realm.identity("crm/2", Card("ann", values=(("c", "1"),)))
    realm.send(first, second)
    rows, said = dict(realm.store.rows), len(realm.said)
    realm.send(first, second, first)
    assert realm.store.rows == rows
    assert len(realm.said) == said


def test_a_change_that_identity_cannot_see_is_remembered_but_says_nothing() -> None:
    realm = Realm()
    realm.put("crm/1", Card("ann", values=(("c", "1"),)))
    said = len(realm.said)
    realm.put("crm/1", Card("ann", values=(("c", "1"),)))
    assert len(realm.said) == said


def test_the_same_history_gives_the_same_rows() -> None:
    steps = history(FLAVOURS["blocks with neighbours"], 3)
    one, other = Realm(), Realm()
    walk(one, steps)
    walk(other, steps)
    assert one.store.rows == other.store.rows


def test_other_secrets_give_other_ids() -> None:
    one, other = Realm(), Realm(SETTINGS._replace(secret=b"another secret"))
    for realm in (one, other):
        realm.put("crm/1", Card("ann"))
    assert one.customer("crm/1") != other.customer("crm/1")


def test_nothing_prepared_is_needed_to_process() -> None:
    realm = Realm()
    value = realm.identity("crm/1", Card("ann"))
    out = RecordingOutbox()
    realm.processor.process(message(value, topic=topics.IDENTITY), realm.store, out)
    assert [sent.topic for sent in out.sent] == [topics.RECORDS]


def test_a_record_that_only_joins_brings_what_is_expected_of_its_customer() -> None:
    realm = Realm()
    out = RecordingOutbox()
    for number in (1, 2):
        joining = message(
            realm.identity(f"crm/{number}", Card("ann", values=(("a", "1"), ("b", "1")))), topic=topics.IDENTITY
        )
        realm.processor.process(joining, realm.store, out)
    told = [RECORDS.decode(sent.value or b"") for sent in out.sent]
    records = [f"{NAME}/crm/{number}" for number in (1, 2)]
    digests = [member_digest_of(records[0]), member_digest_of(records[0]) ^ member_digest_of(records[1])]
    expected = [Grown(epoch, epoch, digest) for epoch, digest in enumerate(digests, 1)]
    assert [each.grown for each in told if isinstance(each, MembershipChanged)] == expected


@pytest.mark.parametrize(
    "value", [None, bytes([VERSION]) + b"\xc1", bytes([VERSION]) + b"\x80"], ids=["empty", "noise", "type"]
)
def test_a_bad_message_is_rejected_by_process_and_overlooked_by_prepare(value: bytes | None) -> None:
    realm = Realm()
    bad = message(value, topic=topics.IDENTITY)
    realm.processor.prepare([bad], realm.store)
    with pytest.raises(RejectedError):
        realm.processor.process(bad, realm.store, RecordingOutbox())


def test_a_message_of_a_newer_version_stops_the_partition() -> None:
    realm = Realm()
    newer = message(bytes([VERSION + 1]), topic=topics.IDENTITY)
    realm.processor.prepare([newer], realm.store)
    with pytest.raises(UnknownVersionError):
        realm.processor.process(newer, realm.store, RecordingOutbox())


def test_a_regroup_message_of_an_older_generation_is_dropped() -> None:
    realm = Realm()
    for number in range(4):
        realm.put(f"crm/{number}", Card(f"n{number}"))
    old = realm.waiting[0]
    realm.waiting.clear()
    for number in range(4, 16):
        realm.put(f"crm/{number}", Card(f"n{number}"))
    assert len(realm.waiting) == 1
    newer = list(realm.waiting)
    realm.send(old)
    assert realm.waiting == newer


def test_two_changes_of_size_class_before_a_sweep_are_both_made_good() -> None:
    realm = Realm()
    matcher = FakeMatcher()
    one = Card("ann", values=(("c", "1"),))
    other = next(
        card
        for card in (Card(f"n{n}", values=one.values) for n in range(100))
        if matcher.thresholds(0).match <= matcher.compare(one, card, ()).score < matcher.thresholds(1).match
    )
    realm.put("crm/one", one)
    realm.put("crm/other", other)
    assert realm.customer("crm/one") == realm.customer("crm/other")
    for number in range(16):
        realm.put(f"crm/{number}", Card(f"x{number}"))
    realm.settle()
    assert realm.customer("crm/one") != realm.customer("crm/other")


def test_a_sweep_looks_at_a_bounded_number_of_records_a_message() -> None:
    realm = Realm()
    for number in range(16):
        realm.put(f"crm/{number:02}", Card(f"n{number}"))
    realm.waiting = realm.waiting[-1:]
    messages = 0
    while realm.waiting:
        realm.send(realm.waiting.pop(0))
        messages += 1
    assert messages == -(-16 // SETTINGS.sweep)
