"""The Kafka log, with the runtime on it, on a real broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.logs.kafka import Connection, KafkaSession
from connectors.logs.topics import ensure_topics, first_offsets
from schemas.topics import DEAD_LETTERS, TopicNames, TopicSpec
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.log import FencedError, LogError
from streams.engine.outbox import Outgoing
from streams.engine.runtime import Limits, Worker
from tables.rocks import RocksStores, StoreOptions

pytestmark = pytest.mark.kafka

SPECS = [
    TopicSpec("in", 2, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
    TopicSpec("out", 2, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
    TopicSpec("counter-table", 2, compacted=True, retention_ms=-1, max_message_bytes=1_000_000),
    TopicSpec(DEAD_LETTERS, 1, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
]
PATIENCE = 60.0


class Counter:
    """Counts the messages of each key."""

    name = "counter"

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.get_many([m.key for m in batch if m.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        assert message.key is not None
        if message.value == b"reject":
            raise RejectedError("bad", "on purpose")
        count = int(store.get(message.key) or b"0") + 1
        store.put(message.key, b"%d" % count)
        out.send("out", message.key, b"%d" % count)


class KilledError(BaseException):
    """The process is gone."""


class Plant:
    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.settings = {"bootstrap.servers": kafka}
        self.names = TopicNames(prefix)
        self.folder = folder
        self.options = StoreOptions.bounded(1 << 20)
        self.sessions: list[KafkaSession] = []
        ensure_topics(self.settings, SPECS, prefix, 1)

    def init(self) -> None:
        first_offsets(self.settings, self.names.prefix + "counter", [self.names.physical("in")])

    def feed(self, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """To partitions that no partitioner would choose: a row's table record must go to its inbox partition."""
        producer = Producer(self.settings)
        for key, value in messages:
            producer.produce(self.names.physical("in"), value, key, partition=key[-1] % 2)
        assert producer.flush(30) == 0

    def worker(self, instance: str = "a", at: Callable[[int], None] = lambda step: None, batch: int = 7) -> Worker:
        worker: list[Worker] = []

        class Relay:
            def assigned(self, partitions: object) -> None:
                worker[0].assigned(partitions)  # type: ignore[arg-type]

            def revoked(self, partitions: object) -> None:
                worker[0].revoked(partitions)  # type: ignore[arg-type]

        session = KafkaSession(Connection(self.settings, self.names, instance), "counter", ["in"], Relay())
        self.sessions.append(session)
        stores = RocksStores(self.folder / instance, self.options)
        worker.append(Worker(Counter(), session, stores, limits=Limits(messages=batch, retry_seconds=0.01), at=at))
        return worker[0]

    def read(self, topic: str) -> list[tuple[bytes, bytes]]:
        """Everything a read-committed reader sees."""
        consumer = Consumer(
            {
                **self.settings,
                "group.id": self.names.prefix + "test-reader",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        partitions = [TopicPartition(self.names.physical(topic), p, 0) for p in range(2 if topic != DEAD_LETTERS else 1)]
        consumer.assign(partitions)
        found: list[tuple[bytes, bytes]] = []
        ended: set[int] = set()
        while len(ended) < len(partitions):
            for raw in consumer.consume(1000, 0.2):
                if raw.error() is None:
                    found.append((raw.key() or b"", raw.value() or b""))
                else:
                    ended.add(raw.partition() or 0)
        consumer.close()
        return found


@pytest.fixture
def plant(kafka: str, unique: str, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(kafka, unique, tmp_path)
    yield plant
    for session in plant.sessions:
        session.close()


def counting(messages: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    counts: dict[bytes, list[bytes]] = {}
    for key, _ in messages:
        counts.setdefault(key, []).append(b"%d" % (len(counts[key]) + 1 if key in counts else 1))
    return counts


def by_key(found: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    result: dict[bytes, list[bytes]] = {}
    for key, value in found:
        result.setdefault(key, []).append(value)
    return result


def run_until(worker: Worker, messages: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while worker.counts.messages < messages:
        worker.step(0.1)
        assert time.monotonic() < deadline, f"only {worker.counts.messages} of {messages} messages in time"


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


def test_partitions_move_to_a_second_instance_with_their_state(plant: Plant) -> None:
    plant.init()
    first = plant.worker("a")
    plant.feed(MESSAGES)
    run_until(first, len(MESSAGES))
    second = plant.worker("b")
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
