"""The broker under the benchmarks, and what they ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not declare it

from benchmarks.processes import cpu_of_threads
from tests.parts import launch_kafka, launch_registry

PARTITIONS = 4
BROKER_JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC")
"""As Kafka's own start script: the tests' broker starts quicker and runs slower."""

COMPILERS = ("C1 Compiler", "C2 Compiler")
"""How HotSpot's compiler threads are called."""

TIMEOUT = 30.0


@contextmanager
def own_kafka() -> Iterator[Cluster]:
    """A broker of our own, with a broker's usual memory."""
    part = launch_kafka(jvm=BROKER_JVM)
    cluster = Cluster(part.address, getattr(part, "pid", None))
    try:
        yield cluster
    finally:
        cluster.close()
        part.close()


@contextmanager
def own_registry() -> Iterator[str]:
    """The URL of a schema registry of our own."""
    part = launch_registry()
    try:
        yield part.address
    finally:
        part.close()


class Cluster:
    """Topics, watermarks and groups of one broker."""

    def __init__(self, brokers: str, pid: int | None) -> None:
        """`pid`: of the broker's process, if it runs as one on this machine."""
        self.brokers = brokers
        self.pid = pid
        self._settings: dict[str, str | int | float | bool] = {"bootstrap.servers": brokers}
        self._admin = AdminClient(self._settings)

    def close(self) -> None:
        """Before its broker stops: librdkafka's end may hang on a broker that is gone."""
        del self._admin

    def create(self, topics: Iterable[str], config: Mapping[str, str] | None = None, partitions: int = PARTITIONS) -> None:
        wanted = [NewTopic(name, partitions, 1, config=dict(config or {})) for name in topics]
        for future in self._admin.create_topics(wanted, operation_timeout=TIMEOUT).values():
            future.result()

    def topics(self, containing: str) -> list[str]:
        return sorted(name for name in self._admin.list_topics(timeout=TIMEOUT).topics if containing in name)

    def delete(self, containing: str) -> None:
        found = self.topics(containing)
        for future in self._admin.delete_topics(found, operation_timeout=TIMEOUT).values() if found else ():
            future.result()

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """One past the last offset of every partition."""
        with self.reader() as consumer:
            metadata = consumer.list_topics(timeout=TIMEOUT).topics
            return {
                (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition), TIMEOUT)[1]
                for topic in topics
                for partition in metadata[topic].partitions
            }

    def stable(self, group: str, members: int = 1) -> bool:
        """Whether the group has so many members at least, and each knows its partitions."""
        found, state = self._state(group)
        return found >= members and state == ConsumerGroupState.STABLE

    def members(self, group: str) -> int:
        """How many the group has."""
        return self._state(group)[0]

    def _state(self, group: str) -> tuple[int, ConsumerGroupState | None]:
        try:
            described = self._admin.describe_consumer_groups([group], request_timeout=TIMEOUT)[group].result()
        except KafkaException:
            return 0, None  # not there yet
        return len(described.members), described.state

    @contextmanager
    def reader(self, group: str = "bench-reader", settings: Mapping[str, Any] | None = None) -> Iterator[Consumer]:
        """A consumer that reads committed messages and joins no group."""
        own = {**self._settings, "group.id": group, "isolation.level": "read_committed", "enable.auto.commit": False}
        consumer = Consumer({**own, **(settings or {})})
        try:
            yield consumer
        finally:
            consumer.close()

    def read_all(self, topic: str) -> Iterator[Message]:
        """Every committed message from the beginning to the end of each partition."""
        with self.reader(settings={"enable.partition.eof": True}) as consumer:
            partitions = consumer.list_topics(topic, TIMEOUT).topics[topic].partitions
            consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
            ended = 0
            while ended < len(partitions):
                for message in consumer.consume(10_000, 0.2):
                    if message.error() is None:
                        yield message
                    else:
                        ended += 1

    def has_read_all(self, group: str, topic: str) -> bool:
        """Whether no committed message lies behind the group's committed offsets: transactions' markers may, which nobody
        consumes, one of every producer of the topic."""
        with self.reader(group, {"enable.partition.eof": True}) as consumer:
            partitions = consumer.list_topics(topic, TIMEOUT).topics[topic].partitions
            committed = consumer.committed([TopicPartition(topic, partition) for partition in partitions], TIMEOUT)
            consumer.assign([TopicPartition(topic, at.partition, max(0, at.offset)) for at in committed])
            ended = 0
            while ended < len(committed):
                found = consumer.consume(1, TIMEOUT)
                if not found or found[0].error() is None:
                    return False  # a message; or nothing at all, so a transaction is still open
                ended += 1
        return True

    def compiled_seconds(self) -> float:
        """CPU time the broker's JVM has spent on compiling itself; 0 if it is not a process of this machine."""
        return cpu_of_threads(self.pid, COMPILERS) if self.pid else 0.0

    def producer(self, settings: Mapping[str, Any] | None = None) -> Producer:
        own = {"linger.ms": 20, "enable.idempotence": True, "partitioner": "murmur2_random"}
        return Producer({**self._settings, **own, **(settings or {})})


class Committed:
    """How far a group has come: its committed offsets, those of open transactions not counted."""

    def __init__(self, cluster: Cluster, consumer: Consumer, topics: Sequence[str]) -> None:
        self._consumer = consumer
        self._ends = cluster.ends(topics)
        self._partitions = [TopicPartition(topic, partition) for topic, partition in self._ends]

    @property
    def total(self) -> int:
        return sum(self._ends.values())

    def done(self) -> int:
        return sum(max(0, found.offset) for found in self._consumer.committed(self._partitions, TIMEOUT))
