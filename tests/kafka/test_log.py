"""The Kafka log, with the runtime on it, on a real broker."""

from __future__ import annotations

import time

import pytest

from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_client import GroupProtocol
from schemas.topics import DEAD_LETTERS
from streams.engine.log import FencedError, LogError
from streams.engine.outbox import Outgoing
from tests.kafka.plant import PATIENCE, KilledError, Plant, by_key, counting, run_until

pytestmark = pytest.mark.kafka


MESSAGES = [(b"k%d" % (n % 5), b"v") for n in range(40)]


def test_each_message_is_counted_once_and_its_table_topic_holds_the_state(plant: Plant) -> None:
    plant.init()
    plant.feed(MESSAGES)
    run_until(plant.worker(), len(MESSAGES))
    assert by_key(plant.read("out")) == counting(MESSAGES)
    assert {k: v[-1] for k, v in by_key(plant.read("counter-table")).items()} == {
        k: v[-1] for k, v in counting(MESSAGES).items()
    }


@pytest.mark.parametrize("step", [2, 3, 4, 5, 6, 7])
def test_after_a_kill_at_any_step_another_start_loses_and_doubles_nothing(plant: Plant, step: int) -> None:
    plant.init()
    plant.feed(MESSAGES)
    passed = 0

    def dies(at: int) -> None:
        nonlocal passed
        passed += at == step
        if at == step and passed == 2:
            raise KilledError

    victim = plant.worker(at=dies)
    with pytest.raises(KilledError):
        run_until(victim, len(MESSAGES))
    # The victim's transaction stays open on the broker; its consumer leaves the group only so that the test need not
    # wait for the session time-out.
    plant.sessions[0]._consumer.close()
    committed = victim.counts.messages
    heir = plant.worker()
    deadline = time.monotonic() + PATIENCE
    while by_key(plant.read("out")) != counting(MESSAGES):
        for _ in range(10):
            heir.step(0.1)
        assert time.monotonic() < deadline, f"{committed} and {heir.counts.messages} messages"
    ghost = plant.sessions.pop(0)
    with pytest.raises(FencedError):
        _send(ghost, Outgoing("out", b"ghost", b"1"))
    assert b"ghost" not in by_key(plant.read("out"))


def test_a_fold_that_stops_short_commits_what_it_did_and_no_more(plant: Plant) -> None:
    plant.init()
    plant.feed(MESSAGES)
    worker = plant.worker(fold_seconds=-1.0)  # its time is up after one message
    run_until(worker, 3)
    assert plant.consumed() == worker.counts.messages == 3
    run_until(worker, len(MESSAGES))
    assert by_key(plant.read("out")) == counting(MESSAGES)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_partitions_move_to_a_second_instance_with_their_state(plant: Plant, protocol: GroupProtocol) -> None:
    plant.init()
    first = plant.worker("a", protocol=protocol)
    plant.feed(MESSAGES)
    run_until(first, len(MESSAGES))
    second = plant.worker("b", protocol=protocol)
    deadline = time.monotonic() + PATIENCE
    while not (second.partitions and not second.restoring and len(first.partitions) == 1):
        first.step(0.05)
        second.step(0.05)
        assert time.monotonic() < deadline
    plant.feed(MESSAGES)
    while first.counts.messages + second.counts.messages < 2 * len(MESSAGES):
        first.step(0.05)
        second.step(0.05)
        assert time.monotonic() < deadline
    assert second.counts.messages > 0
    assert by_key(plant.read("out")) == counting([*MESSAGES, *MESSAGES])


def test_a_rejected_message_is_kept_in_the_dead_letters_with_its_bytes(plant: Plant) -> None:
    plant.init()
    plant.feed([(b"a", b"v"), (b"a", b"reject"), (b"a", b"v")])
    run_until(plant.worker(), 3)
    assert plant.read("out") == [(b"a", b"1"), (b"a", b"2")]
    assert plant.read(DEAD_LETTERS) == [(b"a", b"reject")]


def test_a_partition_without_a_first_offset_is_an_error_that_says_what_to_do(plant: Plant) -> None:
    with pytest.raises(LogError, match="singleview init"):
        run_until(plant.worker(), 1)


def _send(session: KafkaSession, outgoing: Outgoing) -> None:
    transactions = session._transactions
    if not transactions._open:
        transactions.begin()
    transactions.produce([outgoing])
    transactions.commit()
