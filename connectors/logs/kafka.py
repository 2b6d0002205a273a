"""The Kafka log: consumer groups spread partitions, a transaction makes a batch atomic (read-process-write, KIP-447)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import TopicNames, table_topic
from streams.engine.contract import Message
from streams.engine.log import (
    AbortedError,
    FencedError,
    Inbox,
    Listener,
    LogError,
    TableEnd,
    TableRecord,
    UnknownError,
)
from streams.engine.outbox import Outgoing

log = logging.getLogger(__name__)

COMMIT_SECONDS = 15.0
"""How long a commit may be retried: a little over the transaction time-out, after which the broker has aborted it."""

REQUEST_SECONDS = 10.0

UNREADABLE = {
    KafkaError._AUTO_OFFSET_RESET,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
}
"""Errors of a consumer that do not go away by themselves."""

CONSUMER_DEFAULTS: dict[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # offsets are given explicitly; a lost position must never be guessed
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 10_000,  # takeover after a crash; the default of 45 s stalls every customer of a partition
    "heartbeat.interval.ms": 3_000,
    "max.poll.interval.ms": 60_000,
    "fetch.wait.max.ms": 50,
    "queued.max.messages.kbytes": 16_384,
    "fetch.queue.backoff.ms": 10,
}

PRODUCER_DEFAULTS: dict[str, Any] = {
    "transaction.timeout.ms": 10_000,  # an orphaned transaction blocks every reader downstream for this long
    "partitioner": "murmur2_random",  # as Java clients; librdkafka's own default differs
    "compression.type": "lz4",
    "linger.ms": 5,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 262_144,
}


class Connection(NamedTuple):
    """How one processor instance reaches Kafka."""

    settings: Mapping[str, str]  # passed to librdkafka: bootstrap.servers, TLS, SASL
    names: TopicNames
    instance: str  # stable over restarts, unique among the running instances of a processor

    def consumer(self, group: str, extra: Mapping[str, Any]) -> Consumer:
        return Consumer({**CONSUMER_DEFAULTS, **self.settings, "group.id": group, **extra})

    def producer(self, transactional_id: str, max_message_bytes: int) -> Producer:
        own = {"transactional.id": transactional_id, "message.max.bytes": max_message_bytes}
        producer = Producer({**PRODUCER_DEFAULTS, **self.settings, **own})
        producer.init_transactions(30)
        return producer


class KafkaSession:
    """A `Session` on Kafka: one consumer in the processor's group, one transactional producer with a stable id."""

    def __init__(
        self,
        connection: Connection,
        processor: str,
        topics: Sequence[str],
        listener: Listener,
        *,
        from_beginning: bool = False,
        max_message_bytes: int = 10_485_760,
    ) -> None:
        """`from_beginning`: partitions without a committed offset start at the first message (source topics); else they
        are an error, as `singleview init` commits first offsets for every inbox of our own."""
        self._connection = connection
        self._processor = processor
        self._names = connection.names
        self._listener = listener
        self._from_beginning = from_beginning
        self._max_message_bytes = max_message_bytes
        self._transactional_id = f"{self._names.prefix}{processor}-{connection.instance}"
        self._table = self._names.physical(table_topic(processor))
        self._admin = AdminClient(dict(connection.settings))
        self._paused: set[Inbox] = set()
        self._assigned: set[Inbox] = set()
        self._begun: dict[Inbox, int] = {}  # where reading a partition began
        self._in_transaction = False
        self._broken = False  # the producer's state is not known: it must be made anew
        self._table_ends: dict[Inbox, int] = {}
        self._table_expected: set[Inbox] = set()
        self._producer = connection.producer(self._transactional_id, max_message_bytes)
        self._consumer = connection.consumer(self._names.prefix + processor, {})
        self._consumer.subscribe(
            [self._names.physical(topic) for topic in topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    # -- partitions come and go --

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if not partitions:
            consumer.incremental_assign([])
            return
        inboxes = [self._inbox(tp) for tp in partitions]
        self._paused.update(inboxes)
        self._assigned.update(inboxes)
        self._assign_at_committed(inboxes)
        self._listener.assigned(inboxes)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        inboxes = [self._inbox(tp) for tp in partitions]
        self._listener.revoked(inboxes)
        self._assigned.difference_update(inboxes)
        self._paused.difference_update(inboxes)
        consumer.incremental_unassign(partitions)

    def _assign_at_committed(self, inboxes: Iterable[Inbox]) -> None:
        """Starts reading at the stable committed offsets: open transactions of a former owner end first."""
        wanted = [self._partition(inbox) for inbox in inboxes]
        start: list[TopicPartition] = []
        for found in self._consumer.committed(wanted, REQUEST_SECONDS):
            if found.error:
                raise LogError(f"the committed offset of {found.topic}/{found.partition} is not known: {found.error.str()}")
            if found.offset < 0 and not self._from_beginning:
                raise LogError(f"{found.topic}/{found.partition} has no committed offset: run `singleview init` first")
            offset = found.offset if found.offset >= 0 else OFFSET_BEGINNING
            self._begun[self._inbox(found)] = found.offset
            start.append(TopicPartition(found.topic, found.partition, offset))
        self._consumer.incremental_assign(start)
        paused = [self._partition(inbox) for inbox in inboxes if inbox in self._paused]
        if paused:
            self._consumer.pause(paused)

    def _inbox(self, tp: TopicPartition) -> Inbox:
        return Inbox(self._names.logical(tp.topic), tp.partition)

    def _partition(self, inbox: Inbox) -> TopicPartition:
        return TopicPartition(self._names.physical(inbox.topic), inbox.partition)

    # -- the inbox --

    def poll(self, limit: int, timeout: float) -> list[Message]:
        found: list[Any] = self._consumer.consume(1, timeout)  # consume(n, t) would wait all of t for n messages
        if found and limit > 1:
            found += self._consumer.consume(limit - 1, 0)
        messages = []
        for raw in found:
            error = raw.error()
            if error is not None:
                self._consumer_error(error, raw)
                continue
            messages.append(
                Message(
                    self._names.logical(raw.topic()),
                    raw.partition(),
                    raw.offset(),
                    raw.key(),
                    raw.value(),
                    tuple(raw.headers() or ()),
                    raw.timestamp()[1],
                )
            )
        return messages

    def _consumer_error(self, error: KafkaError, raw: Any) -> None:
        if error.fatal() and error.code() == KafkaError.FENCED_INSTANCE_ID:
            raise FencedError(f"{self._processor}: another process has this instance's id: {error.str()}")
        topic = raw.topic() or "the log"
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART and self._from_beginning:
            log.warning("%s: topic %s does not exist yet: waiting for its source", self._processor, topic)
            return
        if error.fatal() or error.code() in UNREADABLE:
            raise LogError(f"{self._processor}: {topic} cannot be read: {error.str()}")
        log.warning("%s: %s (goes on by itself)", self._processor, error.str())

    def lags(self) -> dict[Inbox, int]:
        """Offsets of each partition still to be polled, as the last fetch told: no broker is asked. Unknown ones are left out."""
        found = {}
        for at in self._consumer.position([self._partition(inbox) for inbox in self._assigned]):
            inbox = self._inbox(at)
            first, end = self._consumer.get_watermark_offsets(at, cached=True)
            if end >= 0:  # negative until something was fetched
                read = at.offset if at.offset >= 0 else self._begun[inbox]
                found[inbox] = max(0, end - max(read, first))
        return found

    def resume(self, partition: Inbox) -> None:
        self._paused.discard(partition)
        self._reassign([partition])
        self._consumer.resume([self._partition(partition)])

    def pause(self, partition: Inbox) -> None:
        self._paused.add(partition)
        self._consumer.pause([self._partition(partition)])

    def rewind(self) -> None:
        self._reassign(self._assigned)

    def _reassign(self, inboxes: Collection[Inbox]) -> None:
        """Begins again at the committed offsets; what was fetched ahead is dropped."""
        if inboxes:
            self._consumer.incremental_unassign([self._partition(inbox) for inbox in inboxes])
            self._assign_at_committed(inboxes)

    # -- the transaction --

    def begin(self) -> None:
        if self._broken:
            self._renew()
        self._table_ends = {}
        self._table_expected = set()
        self._calling(self._producer.begin_transaction)
        self._in_transaction = True

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        groups: dict[tuple[str, int | None], list[Outgoing]] = {}
        for item in outgoing:
            groups.setdefault((item.topic, item.partition), []).append(item)
        for (name, partition), items in groups.items():
            topic = self._names.physical(name)
            if any(item.headers for item in items):
                self._produce_each(topic, partition, items)
            else:
                self._produce_batch(topic, partition, items)

    def _produce_each(self, topic: str, partition: int | None, items: list[Outgoing]) -> None:
        chosen = _chosen(partition)
        for item in items:
            while True:
                try:
                    self._producer.produce(topic, item.value, item.key, headers=list(item.headers), **chosen)
                    break
                except BufferError:
                    self._producer.poll(0.1)
                except KafkaException as error:
                    raise self._translate(error) from error

    def _produce_batch(self, topic: str, partition: int | None, items: list[Outgoing]) -> None:
        # One call per partition: confluent-kafka 2.16 ignores the partition of single messages in a batch.
        chosen = _chosen(partition)
        messages: list[dict[str, Any]] = [{"value": item.value, "key": item.key} for item in items]
        if topic == self._table and partition is not None:
            messages[-1]["callback"] = self._on_table_delivery  # a partition keeps its order: the last offset is enough
            self._table_expected.add(Inbox(self._names.logical(topic), partition))
        while messages:
            try:
                sent = self._producer.produce_batch(topic, messages, **chosen)
            except BufferError:
                sent = 0
            except KafkaException as error:
                raise self._translate(error) from error
            if sent == len(messages):
                return
            failed = [message for message in messages if "_error" in message] or messages
            for message in failed:
                refused = message.pop("_error", None)
                if refused is not None and refused.code() != KafkaError._QUEUE_FULL:
                    raise self._translate(KafkaException(refused))
            messages = failed
            self._producer.poll(0.1)

    def _on_table_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            inbox = Inbox(self._names.logical(message.topic()), message.partition())
            self._table_ends[inbox] = message.offset() + 1

    def send_offsets(self, offsets: Mapping[Inbox, int]) -> None:
        positions = [
            TopicPartition(self._names.physical(inbox.topic), inbox.partition, offset) for inbox, offset in offsets.items()
        ]
        metadata = self._consumer.consumer_group_metadata()
        self._calling(lambda: self._producer.send_offsets_to_transaction(positions, metadata, REQUEST_SECONDS))

    def commit(self) -> Mapping[Inbox, int]:
        self._calling(
            lambda: self._producer.flush(REQUEST_SECONDS)
        )  # serves the delivery reports that tell the table's offsets
        self._calling(lambda: self._producer.commit_transaction(REQUEST_SECONDS))
        self._in_transaction = False
        if self._table_ends.keys() != self._table_expected:
            raise UnknownError("committed, but where the table records went was not told")
        return self._table_ends

    def abort(self) -> None:
        if self._broken:
            self._renew()
        elif self._in_transaction:
            try:
                self._calling(lambda: self._producer.abort_transaction(REQUEST_SECONDS))
            except (AbortedError, UnknownError) as error:
                log.warning("%s: abort failed, a new producer takes over: %s", self._processor, error)
                self._renew()
        self._in_transaction = False

    def _renew(self) -> None:
        """A new producer with the same id: the broker ends what the old one left open, one way or the other."""
        self._producer.close()
        self._producer = self._connection.producer(self._transactional_id, self._max_message_bytes)
        self._broken = self._in_transaction = False

    def _calling(self, call: Callable[[], object]) -> None:
        """Calls the producer, again while it says so, up to `COMMIT_SECONDS`."""
        deadline = time.monotonic() + COMMIT_SECONDS
        while True:
            try:
                call()
            except KafkaException as error:
                if error.args[0].retriable() and time.monotonic() < deadline:
                    continue
                raise self._translate(error) from error
            return

    def _translate(self, error: KafkaException) -> LogError:
        cause: KafkaError = error.args[0]
        if cause.code() in {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}:
            return FencedError(
                f"{self._processor}: another process runs as instance {self._connection.instance}: {cause.str()}"
            )
        if cause.txn_requires_abort():
            return AbortedError(cause.str())
        # librdkafka does not know KIP-890: what it could not finish may or may not have happened.
        self._broken = True
        return UnknownError(cause.str())

    # -- the table --

    def table_end(self, partition: int) -> TableEnd:
        described = self._admin.describe_topics(TopicCollection([self._table]), request_timeout=REQUEST_SECONDS)
        try:
            topic_id = str(described[self._table].result().topic_id)
        except KafkaException as error:
            raise LogError(f"table topic {self._table} cannot be described: {error.args[0].str()}") from error
        with closing(self._table_consumer()) as consumer:
            # The read-uncommitted end: markers reach offsets and table at different times (KAFKA-10167).
            low, high = consumer.get_watermark_offsets(TopicPartition(self._table, partition), REQUEST_SECONDS)
        return TableEnd(topic_id, low, high)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        if start >= end:
            return
        with closing(self._table_consumer()) as consumer:
            consumer.assign([TopicPartition(self._table, partition, start)])
            position = start
            while position < end:
                records: list[TableRecord] = []
                found: list[Any] = consumer.consume(10_000, 0.1)
                for raw in found:
                    error = raw.error()
                    if error is None:
                        records.append(TableRecord(raw.offset(), raw.key(), raw.value()))
                        position = raw.offset() + 1
                    elif error.code() == KafkaError._PARTITION_EOF:
                        position = max(position, raw.offset())  # behind the last record there may be markers only
                    elif not error.retriable() and error.fatal():
                        raise LogError(f"table topic {self._table} cannot be read: {error.str()}")
                yield records

    def _table_consumer(self) -> Consumer:
        extra = {"enable.partition.eof": True, "auto.offset.reset": "earliest", "queued.max.messages.kbytes": 65_536}
        return self._connection.consumer(f"{self._names.prefix}{self._processor}-restore", extra)

    def close(self) -> None:
        self.abort()
        self._consumer.close()
        self._producer.close()


def _chosen(partition: int | None) -> dict[str, Any]:
    """Without a partition, the client chooses it by the key."""
    return {} if partition is None else {"partition": partition}
