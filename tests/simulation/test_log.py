from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import TopicSpec
from streams.engine.log import FencedError, Inbox
from streams.engine.outbox import Outgoing
from tests.simulation.broker import LONGEST_MARKER_DELAY_MS, TRANSACTION_TIMEOUT_MS, Broker
from tests.simulation.groups import SESSION_TIMEOUT_MS, Group, Member
from tests.simulation.partition import TOMBSTONES_KEPT_MS

TOPIC = Inbox("t", 0)
INBOXES = [Inbox("t", number) for number in range(4)]


def nothing(what: str) -> None: ...


@pytest.fixture
def broker() -> Broker:
    broker = Broker(Random(1), nothing)
    broker.create([TopicSpec("t", 1, compacted=True, retention_ms=-1, max_message_bytes=1)])
    return broker


def item(key: bytes, value: bytes | None = b"v") -> Outgoing:
    return Outgoing("t", key, value)


def seen(broker: Broker) -> list[bytes | None]:
    return [record.key for _, record in broker.partition(TOPIC).committed()]


def settle(broker: Broker) -> None:
    broker.now += LONGEST_MARKER_DELAY_MS
    broker.tick()


def test_a_reader_sees_a_transaction_when_its_marker_is_there_and_nothing_behind_it_before(broker: Broker) -> None:
    transaction = broker.begin("p", broker.register("p"))
    broker.append(item(b"a"), 0, transaction)
    broker.append(item(b"b"), 0)
    broker.decide(transaction, committed=True)
    partition = broker.partition(TOPIC)
    assert (seen(broker), partition.stable, partition.end) == ([], 0, 2)
    settle(broker)
    assert (seen(broker), partition.stable, partition.end) == ([b"a", b"b"], 3, 3)


def test_an_aborted_transaction_is_a_gap(broker: Broker) -> None:
    transaction = broker.begin("p", broker.register("p"))
    broker.append(item(b"a"), 0, transaction)
    broker.append(item(b"b"), 0)
    broker.decide(transaction, committed=False)
    settle(broker)
    assert broker.partition(TOPIC).committed()[0][0] == 1
    assert seen(broker) == [b"b"]


def test_committed_offsets_are_not_stable_until_their_marker_is_there(broker: Broker) -> None:
    transaction = broker.begin("p", broker.register("p"))
    broker.add_offsets(transaction, "g", {TOPIC: 7})
    broker.decide(transaction, committed=True)
    assert (broker.is_stable("g", TOPIC), broker.offset("g", TOPIC)) == (False, 0)
    settle(broker)
    assert (broker.is_stable("g", TOPIC), broker.offset("g", TOPIC)) == (True, 7)


def test_an_orphaned_transaction_blocks_readers_until_it_times_out(broker: Broker) -> None:
    epoch = broker.register("p")
    broker.append(item(b"a"), 0, broker.begin("p", epoch))
    broker.append(item(b"b"), 0)
    broker.now += TRANSACTION_TIMEOUT_MS
    broker.tick()
    assert seen(broker) == []
    broker.now += 1
    broker.tick()
    settle(broker)
    assert seen(broker) == [b"b"]
    with pytest.raises(FencedError):
        broker.check("p", epoch)


def test_a_second_producer_with_the_same_id_fences_the_first_and_aborts_what_it_left(broker: Broker) -> None:
    first = broker.register("p")
    broker.append(item(b"a"), 0, broker.begin("p", first))
    second = broker.register("p")
    settle(broker)
    assert seen(broker) == []
    broker.check("p", second)
    with pytest.raises(FencedError):
        broker.check("p", first)


def test_compaction_keeps_the_newest_committed_record_and_young_tombstones(broker: Broker) -> None:
    for each in [item(b"a"), item(b"a"), item(b"b"), item(b"b", None), item(b"c")]:
        broker.append(each, 0)
    broker.compact(now=1)
    assert [(o, r.key, r.value) for o, r in broker.partition(TOPIC).committed()] == [
        (1, b"a", b"v"),
        (3, b"b", None),
        (4, b"c", b"v"),
    ]
    broker.compact(now=TOMBSTONES_KEPT_MS + 1)
    assert seen(broker) == [b"a", b"b", b"c"]
    broker.compact(now=TOMBSTONES_KEPT_MS + 2)
    assert seen(broker) == [b"a", b"c"]


def test_a_tombstone_goes_only_so_long_after_what_it_deletes(broker: Broker) -> None:
    for each in [item(b"a"), item(b"a", None)]:
        broker.append(each, 0)
    broker.compact(now=2 * TOMBSTONES_KEPT_MS)
    assert seen(broker) == [b"a"]
    broker.compact(now=3 * TOMBSTONES_KEPT_MS + 1)
    assert seen(broker) == []


@given(st.integers(), st.lists(st.sampled_from(["join", "leave", "serve", "silence", "tick"]), max_size=40))
def test_a_partition_is_given_to_one_member_at_a_time_and_only_holders_of_the_newest_generation_commit(
    seed: int, moves: list[str]
) -> None:
    random = Random(seed)
    group = Group("g", INBOXES, random, nothing)
    members = [group.join("first")]
    told: dict[Member, set[Inbox]] = {}
    now = 0
    for move in moves:
        member = random.choice(members)
        match move:
            case "join":
                members.append(group.join("another"))
            case "leave":
                group.leave(member)
            case "silence":
                member.silent_since = now
            case "tick":
                now += SESSION_TIMEOUT_MS
                group.tick(now)
            case "serve":
                serve(group, member, told)
        owners = [inbox for each, mine in told.items() if not each.gone for inbox in mine]
        assert len(owners) == len(set(owners))
        assert not any(group.accepts(each) for each in members if each.gone)


def serve(group: Group, member: Member, told: dict[Member, set[Inbox]]) -> None:
    """What a member's poll does."""
    if member.gone:
        return
    member.generation = group.generation
    group.give_up(member, group.to_give_up(member))
    told[member] = set(group.holds(member))
