"""The runtime on a real broker, doing work small enough to be counted: shared by the tests of this folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_client import Connection, GroupProtocol
from connectors.logs.topics import ensure_topics, first_offsets
from schemas.topics import DEAD_LETTERS, TopicNames, TopicSpec
from streams.engine.contract import Message, Outbox, Processor, RejectedError, Store
from streams.engine.log import Inbox, Listener
from streams.engine.runtime import Limits, Worker
from tables.rocks import RocksStores, StoreOptions

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
        store.load([m.key for m in batch if m.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if message.key is None:
            return  # a tick
        if message.value == b"reject":
            raise RejectedError("bad", "on purpose")
        count = int(store.get(message.key) or b"0") + 1
        store.put(message.key, b"%d" % count)
        out.send("out", message.key, b"%d" % count)


class KilledError(BaseException):
    """The process is gone."""


class Noted:
    """A listener whose partitions are remembered."""

    def __init__(self, to: Listener, moves: list[str]) -> None:
        self._to = to
        self._moves = moves

    def assigned(self, partitions: Iterable[Inbox]) -> None:
        given = list(partitions)
        self._moves += [f"+{inbox.partition}" for inbox in given]
        self._to.assigned(given)

    def revoked(self, partitions: Iterable[Inbox]) -> None:
        taken = list(partitions)
        self._moves += [f"-{inbox.partition}" for inbox in taken]
        self._to.revoked(taken)


class Plant:
    """Topics under a prefix of their own, and the workers on them."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.settings = {"bootstrap.servers": kafka}
        self.names = TopicNames(prefix)
        self.folder = folder
        self.options = StoreOptions.bounded(1 << 20)
        self.sessions: list[KafkaSession] = []
        self.workers: list[Worker] = []
        self.moves: dict[str, list[str]] = {}  # by instance: partitions that came (+0) and went (-0)
        ensure_topics(self.settings, SPECS, prefix, 1)

    def init(self) -> None:
        first_offsets(self.settings, self.names.prefix + "counter", [self.names.physical("in")])

    def feed(self, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """To partitions that no partitioner would choose: a row's table record must go to its inbox partition."""
        producer = Producer(self.settings)
        for key, value in messages:
            producer.produce(self.names.physical("in"), value, key, partition=key[-1] % 2)
        assert producer.flush(30) == 0

    def worker(
        self,
        instance: str = "a",
        at: Callable[[int], None] = lambda step: None,
        batch: int = 7,
        protocol: GroupProtocol = "classic",
        stopping: threading.Event | None = None,
        settings: Mapping[str, str] | None = None,
        fold_seconds: float = 2.0,
        processor: Processor | None = None,
        wall_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> Worker:
        """A process, as far as Kafka can tell: it lives while it is stepped."""
        connection = self.connection(instance, protocol, settings)
        session = KafkaSession(connection, "counter", ["in"], stopping=stopping)
        self.sessions.append(session)
        stores = RocksStores(self.folder / instance, self.options)
        limits = Limits(messages=batch, outputs=3, fold_seconds=fold_seconds, retry_seconds=0.01)
        worker = Worker(processor or Counter(), session, stores, limits=limits, at=at, wall_ms=wall_ms)
        session.listen(Noted(worker, self.moves.setdefault(instance, [])))
        self.workers.append(worker)
        return worker

    def connection(
        self, instance: str, protocol: GroupProtocol = "classic", settings: Mapping[str, str] | None = None
    ) -> Connection:
        return Connection({**self.settings, **(settings or {})}, self.names, instance, protocol)

    def usurp(self, instance: str) -> None:
        """Another process joins the group under the instance's name, and dies."""
        process = self.connection(instance).member(self.names.prefix + "counter", lambda error: None)
        process.subscribe([self.names.physical("in")])
        deadline = time.monotonic() + PATIENCE
        while not process.assignment():
            assert time.monotonic() < deadline
            process.poll(0.1)
        process.close()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()

    def consumed(self) -> int:
        """Messages before the group's committed offsets."""
        consumer = Consumer({**self.settings, "group.id": self.names.prefix + "counter"})
        partitions = [TopicPartition(self.names.physical("in"), partition) for partition in range(2)]
        found = sum(max(0, at.offset) for at in consumer.committed(partitions, PATIENCE))
        consumer.close()
        return found

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


def run_all(workers: Sequence[Worker], done: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Steps workers in turn until it is done."""
    deadline = time.monotonic() + patience
    while not done():
        for worker in workers:
            worker.step(0.05)
        assert time.monotonic() < deadline, f"{[(w.counts, w.partitions, w.restoring, w.trouble) for w in workers]}"
