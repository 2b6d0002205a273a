"""Who has which partition, as processes come, go, hang, and share a name."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from connectors.logs import kafka, kafka_orphans
from connectors.logs.kafka_client import GroupProtocol
from streams.engine.log import AbortedError, FencedError
from streams.engine.runtime import Worker
from tests.kafka.plant import PATIENCE, Plant, by_key, counting, run_all

pytestmark = pytest.mark.kafka

MESSAGES = [(b"k%d" % (n % 6), b"v") for n in range(60)]
PROTOCOLS = ["classic", "consumer"]


def settled(*workers: Worker) -> bool:
    return all(len(worker.partitions) == 1 and not worker.restoring for worker in workers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_restart_within_the_session_time_out_moves_no_partition(plant: Plant, protocol: GroupProtocol) -> None:
    plant.init()
    first, second = (plant.worker(name, protocol=protocol) for name in ("a", "b"))
    run_all([first, second], lambda: settled(first, second))
    held, moves = first.partitions, list(plant.moves["b"])
    first.close()
    again = plant.worker("a", protocol=protocol)
    plant.feed(MESSAGES)
    run_all([again, second], lambda: again.counts.messages + second.counts.messages == len(MESSAGES))
    assert again.partitions == held
    assert plant.moves["b"] == moves
    assert by_key(plant.read("out")) == counting(MESSAGES)


@pytest.mark.parametrize(("protocol", "silent_at"), [("classic", 4), ("consumer", 5), ("classic", 6)])
def test_a_process_that_was_silent_for_too_long_cannot_commit_what_another_has_done(
    plant: Plant, protocol: GroupProtocol, silent_at: int
) -> None:
    plant.init()
    hung: list[int] = []

    def hang(step: int) -> None:
        if step == silent_at and not hung:
            hung.append(step)
            # Past the poll limit: the group gives its partitions to the other, which does the same messages.
            run_all([other], lambda: plant.consumed() == len(MESSAGES))

    settings = {"max.poll.interval.ms": "6000"} | ({"session.timeout.ms": "6000"} if protocol == "classic" else {})
    silent = plant.worker("a", at=hang, settings=settings, protocol=protocol)
    other = plant.worker("b", settings=settings, protocol=protocol)
    run_all([silent, other], lambda: settled(silent, other))
    plant.feed(MESSAGES)
    deadline = time.monotonic() + PATIENCE
    while not hung:
        silent.step(0.05)
        assert time.monotonic() < deadline
    run_all([silent, other], lambda: settled(silent, other))
    plant.feed(MESSAGES)
    run_all([silent, other], lambda: silent.counts.messages + other.counts.messages == 2 * len(MESSAGES))
    assert by_key(plant.read("out")) == counting([*MESSAGES, *MESSAGES])


def test_an_expelled_process_sends_no_offsets(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka would take them from one that names no member."""
    plant.init()
    worker = plant.worker()
    run_all([worker], lambda: bool(worker.partitions) and not worker.restoring)
    session = plant.sessions[0]

    class Expelled:
        def memberid(self) -> str:
            return ""

        def consumer_group_metadata(self) -> object:
            return None

    session.begin()
    with monkeypatch.context() as expelled:
        expelled.setattr(session, "_consumer", Expelled())
        with pytest.raises(AbortedError, match="expelled"):
            session.send_offsets({worker.partitions[0]: 1})
    session.abort()


def test_of_two_processes_under_one_name_the_first_is_fenced_and_says_so(plant: Plant) -> None:
    plant.init()
    first = plant.worker("a")
    run_all([first], lambda: len(first.partitions) == 2 and not first.restoring)
    # Its stores are elsewhere: a process of that name on another machine.
    plant.folder /= "elsewhere"
    second = plant.worker("a")
    plant.feed(MESSAGES)
    with pytest.raises(FencedError, match="--instance"):
        run_all([second, first], lambda: False)
    first.close()
    run_all([second], lambda: sum(map(len, by_key(plant.read("out")).values())) == len(MESSAGES))
    assert by_key(plant.read("out")) == counting(MESSAGES)


JOIN_AND_DIE = """
import os, signal, sys
from confluent_kafka import Consumer
brokers, group, topic = sys.argv[1:]
member = {"group.id": group, "group.instance.id": "a", "partition.assignment.strategy": "cooperative-sticky"}
consumer = Consumer({"bootstrap.servers": brokers, **member, "session.timeout.ms": 30_000, "heartbeat.interval.ms": 1_000})
consumer.subscribe([topic], on_revoke=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
while len(consumer.assignment()) < 2:
    consumer.poll(0.1)
print("joined", flush=True)
while True:
    consumer.poll(0.1)
"""


def test_a_partition_whose_owner_died_between_the_rounds_of_a_rebalance_finds_another(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_orphans, "LOOK_SECONDS", 0.5)
    plant.init()
    names = plant.names.prefix + "counter", plant.names.physical("in")
    command = [sys.executable, "-c", JOIN_AND_DIE, plant.settings["bootstrap.servers"], *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"joined\n"
        other = plant.worker("b")
        run_all([other], lambda: process.poll() is not None)
    again = plant.worker("a")
    run_all([again, other], lambda: settled(again, other))
    plant.feed(MESSAGES)
    run_all([again, other], lambda: again.counts.messages + other.counts.messages == len(MESSAGES))
    assert by_key(plant.read("out")) == counting(MESSAGES)


JOIN_AND_HANG = """
import sys
from confluent_kafka import Consumer
brokers, group, topic = sys.argv[1:]
member = {"group.id": group, "group.protocol": "consumer", "group.instance.id": "a"}
consumer = Consumer({"bootstrap.servers": brokers, **member})
consumer.subscribe([topic])
while not consumer.assignment():
    consumer.poll(0.1)
print("joined", flush=True)
while True:
    consumer.poll(0.1)
"""


def test_a_process_that_was_killed_waits_for_its_own_name_with_the_consumer_protocol(plant: Plant) -> None:
    plant.init()
    names = plant.names.prefix + "counter", plant.names.physical("in")
    command = [sys.executable, "-c", JOIN_AND_HANG, plant.settings["bootstrap.servers"], *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"joined\n"
        process.kill()
    again = plant.worker("a", protocol="consumer")
    plant.feed(MESSAGES)
    run_all([again], lambda: again.counts.messages == len(MESSAGES))
    assert again.counts.retries  # it was told to wait
    assert by_key(plant.read("out")) == counting(MESSAGES)


def test_a_name_that_is_never_let_go_has_a_twin(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "RELEASE_SECONDS", 1.0)
    plant.init()
    first = plant.worker("a", protocol="consumer")
    run_all([first], lambda: len(first.partitions) == 2 and not first.restoring)
    plant.folder /= "elsewhere"
    second = plant.worker("a", protocol="consumer")
    with pytest.raises(FencedError, match="--instance"):
        run_all([second], lambda: False)
