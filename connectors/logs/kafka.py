"""The Kafka log: consumer groups spread partitions, a transaction makes a batch atomic (read-process-write, KIP-447)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, TopicPartition

from connectors.logs.kafka_begin import Mark
from connectors.logs.kafka_beginnings import Beginnings
from connectors.logs.kafka_client import PERMANENT, Connection, asking
from connectors.logs.kafka_orphans import Orphans
from connectors.logs.kafka_purge import Purge
from connectors.logs.kafka_sources import SourceTopics, why_not
from connectors.logs.kafka_table import KafkaTable
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import LARGEST_MESSAGE_BYTES, table_topic
from streams.engine.contract import Message
from streams.engine.log import (
    NO_NOTES,
    AbortedError,
    Inbox,
    Listener,
    LogError,
    TableEnd,
    TableRecord,
    UnavailableError,
)
from streams.engine.outbox import Outgoing

__all__ = ["Connection", "KafkaSession"]

log = logging.getLogger(__name__)

T = TypeVar("T")

QUIET_SECONDS = 30.0
"""An error of the consumer that goes away by itself is told at most this often."""

DOUBT_SECONDS = 60.0
"""A fence this long after the brokers were out of reach may be our own doing; see `_fenced`."""

RELEASE_SECONDS = 75.0
"""How long a member that was killed may keep its name: longer than any session of the consumer protocol (at most 60 s)."""

AGAIN_SECONDS = 3.0
"""How often a partition that cannot be read is looked at again."""

AGAIN_SHARE = 0.2
"""And so much later for each of them, as each costs some requests."""

STILL_USED = KafkaError(KafkaError.UNRELEASED_INSTANCE_ID).str()

OUT_OF_REACH = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._TIMED_OUT})


class KafkaSession:
    """A `Session` on Kafka: one consumer in the processor's group, one transactional producer with a stable id.

    It joins the group at the first `poll`.
    """

    _listener: Listener

    def __init__(
        self,
        connection: Connection,
        processor: str,
        topics: Sequence[str],
        *,
        from_beginning: bool = False,
        epochs: Mapping[str, int] = MappingProxyType({}),
        purge: bool = False,
        max_message_bytes: int = LARGEST_MESSAGE_BYTES,
        table_id: str = "",
        stopping: threading.Event | None = None,
    ) -> None:
        """`from_beginning`: the topics are sources; partitions without a committed offset start at the first message. Else
        they are an error, as `singleview init` commits first offsets for every inbox of our own. `epochs`: of the source
        topics whose events are ordered by the log. `purge`: what is consumed is deleted. `table_id`: of the
        table topic, if it is known: another one has lost what it held. `stopping`: set by whoever stops the process; calls
        that wait for a broker give up soon after."""
        self._connection = connection
        self._processor = processor
        self._names = connection.names
        self._group = self._names.prefix + processor
        self._topics = [self._names.physical(topic) for topic in topics]
        self._logical = dict(zip(self._topics, topics, strict=True))
        self._from_beginning = from_beginning
        self._assigned: set[Inbox] = set()
        self._paused: set[Inbox] = set()
        self._begun: dict[Inbox, int] = {}  # where reading a partition began
        self._again = 0.0  # when to look at partitions again that could not be begun
        self._told: dict[int, float] = {}  # when an error was last told, by its code
        self._joined = False
        self._out_of_reach = -DOUBT_SECONDS  # when the brokers last were
        self._name_wanted = 0.0  # since when another member has our name, as far as we know; 0: none has
        self._table = KafkaTable(connection, self._names.physical(table_topic(processor)), table_id)
        self._transactions = KafkaTransactions(
            connection,
            processor,
            table_topic(processor),
            max_message_bytes=max_message_bytes,
            stopping=stopping or threading.Event(),
        )
        self._purge = Purge(connection.common, processor) if purge else None
        self._orphans = Orphans(connection, self._group, self._topics) if connection.may_orphan else None
        self._sources = SourceTopics(connection, self._topics) if from_beginning else None
        self._positions: list[TopicPartition] = []  # sent with the open transaction
        self._consumer = self._member()
        self._beginnings = Beginnings(
            connection, processor, self._logical, self._sources, epochs, consumer=lambda: self._consumer, asking=self._asking
        )

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def transaction_seconds(self) -> float:
        return self._connection.transaction_seconds

    def _member(self) -> Consumer:
        return self._connection.member(self._group, self._on_client_error, of_sources=self._from_beginning)

    def _on_client_error(self, error: KafkaError) -> None:
        if error.code() in OUT_OF_REACH:
            self._out_of_reach = time.monotonic()

    # -- partitions come and go --

    def _join(self) -> None:
        """What an earlier life of this instance left open ends first: it would hold up the committed offsets."""
        self._transactions.abort()
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)
        self._joined = True

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """A rebalance waits for this: no broker is asked. Where to begin is found at `resume`, and only then is it fetched.

        It cannot be fetched from a provisional offset and moved from there: the client may take the seek first and the
        answer about a logical offset (end, beginning) after it, and so leaves out what is between.
        """
        consumer.incremental_assign([])
        self._name_wanted = 0.0
        if self._orphans:
            self._orphans.rebalanced([f"{tp.topic}/{tp.partition}" for tp in partitions if tp.topic not in self._logical])
        inboxes = self._read_ones(partitions)
        self._assigned.update(inboxes)
        self._paused.update(inboxes)
        self._listener.assigned(inboxes)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        inboxes = set(self._read_ones(partitions))
        fetched = [self._partition(inbox) for inbox in inboxes & self._begun.keys()]
        self._forget(inboxes)
        consumer.incremental_unassign(fetched)

    def _read_ones(self, partitions: Iterable[TopicPartition]) -> list[Inbox]:
        """Those of topics that are read: a group may give others, which another member reads, or this one did before."""
        return [self._inbox(tp) for tp in partitions if tp.topic in self._logical]

    def _forget(self, inboxes: set[Inbox]) -> None:
        self._listener.revoked(inboxes)
        self._assigned -= inboxes
        self._paused -= inboxes
        for inbox in inboxes:
            self._begun.pop(inbox, None)
            self._beginnings.forget(inbox)

    def _inbox(self, tp: TopicPartition) -> Inbox:
        return Inbox(self._logical[tp.topic], tp.partition)

    def _partition(self, inbox: Inbox, offset: int = OFFSET_INVALID, mark: Mark | None = None) -> TopicPartition:
        topic = self._names.physical(inbox.topic)
        return (
            TopicPartition(topic, inbox.partition, offset, mark.text())
            if mark
            else TopicPartition(topic, inbox.partition, offset)
        )

    # -- the inbox --

    def poll(self, limit: int, timeout: float) -> list[Message]:
        if not self._joined:
            self._join()
        if self._orphans:
            self._orphans.look()
        if self._sources:
            for topic in self._sources.look():
                self._begin_anew(self._logical[topic])
        if self._beginnings.impossible and time.monotonic() >= self._again:
            self._try_again()
        if self._purge:
            self._purge.look()
        found: list[Any] = self._consumer.consume(1, timeout)  # consume(n, t) would wait all of t for n messages
        if found and limit > 1:
            found += self._consumer.consume(limit - 1, 0)
        logical = self._logical
        messages = []
        for raw in found:
            error = raw.error()
            if error is not None:
                self._consumer_error(error, raw)
                continue
            messages.append(
                Message(
                    logical[raw.topic()],
                    raw.partition(),
                    raw.offset(),
                    raw.key(),
                    raw.value(),
                    tuple(raw.headers() or ()),
                    raw.timestamp()[1],
                )
            )
        if self._paused:  # what was fetched before the pause took effect
            return [m for m in messages if Inbox(m.topic, m.partition) not in self._paused]
        return messages

    def _consumer_error(self, error: KafkaError, raw: Any) -> None:
        topic = raw.topic() or "the log"
        trouble = why_not(error) if self._sources and raw.topic() in self._logical else None
        if error.fatal() or error.code() == KafkaError._FATAL:  # as an event, a fatal error does not call itself so
            if "fenced" in error.str().lower():
                raise self._fenced(error)
            if STILL_USED in error.str():
                raise self._still_used(error)
            raise LogError(f"{self._processor}: {topic} cannot be read: {error.str()}")
        if self._sources and trouble:
            self._sources.note(topic, trouble)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._overtaken(Inbox(self._logical[topic], raw.partition()))
        elif error.code() in PERMANENT:
            raise LogError(f"{self._processor}: {topic} cannot be read: {error.str()}")
        else:
            self._tell(error.code(), f"{error.str()} (goes on by itself)")

    def _fenced(self, error: KafkaError) -> LogError:
        """Another process has our name; or we are that other: a broker that dies as we join may have taken us in without our
        being told, and then holds our old membership against us. So after an outage we join once more as a new member: a
        process that really has our name is fenced by that, joins once more itself, and the second fence ends us.
        """
        if time.monotonic() - self._out_of_reach > DOUBT_SECONDS:
            return self._connection.fenced(self._processor, error)
        self._out_of_reach = -DOUBT_SECONDS
        self._leave()
        return AbortedError(f"expelled from the group after an outage, it joins again ({error.str()})")

    def _still_used(self, error: KafkaError) -> LogError:
        """With the consumer protocol a name is not taken from whoever has it: a process that was killed and started again
        waits until the brokers expel what it was before. One whose name is kept for longer than that has a twin."""
        now = time.monotonic()
        self._name_wanted = self._name_wanted or now
        if now - self._name_wanted > RELEASE_SECONDS:
            return self._connection.fenced(self._processor, error)
        self._leave()
        return UnavailableError(
            f"the group still counts on instance {self._connection.instance} as it was before: waiting until it is expelled"
            " (group.consumer.session.timeout.ms)"
        )

    def _leave(self) -> None:
        """Drops the membership and all it gave us; the next poll joins."""
        self._consumer.close()
        self._forget(set(self._assigned))  # those that the closing did not tell of
        self._consumer = self._member()
        self._joined = False

    def _tell(self, code: int, what: str) -> None:
        now = time.monotonic()
        if now - self._told.get(code, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._told[code] = now
            log.warning("%s: %s", self._processor, what)

    def lags(self) -> dict[Inbox, int]:
        """Offsets of each partition still to be polled, as the last fetch told: asks no broker, unknown ones left out."""
        found = {}
        for at in self._consumer.position([self._partition(inbox) for inbox in self._assigned & self._begun.keys()]):
            inbox = self._inbox(at)
            first, end = self._consumer.get_watermark_offsets(at, cached=True)
            if end >= 0:  # negative until something was fetched
                read = at.offset if at.offset >= 0 else self._begun[inbox]
                found[inbox] = max(0, end - max(read, first))
        return found

    # -- partitions that cannot be read --

    def unread(self) -> Mapping[str, str]:
        """What is not read, by `topic` or `topic/partition`, and why."""
        return self._beginnings.unread()

    def read_again(self) -> Mapping[str, int]:
        """How often a partition of a source topic was begun anew, as the topic was another than before."""
        return self._beginnings.read_again

    def _begin_anew(self, topic: str) -> None:
        """A source topic was deleted and made anew: for the runtime its partitions go and come back."""
        inboxes = {inbox for inbox in self._assigned if inbox.topic == topic}
        for inbox in inboxes:
            self.pause(inbox)
        self._listener.revoked(inboxes)
        self._listener.assigned(inboxes)

    def _overtaken(self, inbox: Inbox) -> None:
        """Its next offset is no longer there. The client has given the partition up, and takes no seek: so the group gives
        it anew, and its offsets are compared with what there is before it is begun."""
        if inbox in self._assigned:
            log.warning("%s: the next offset of %s/%d is no longer there", self._processor, *inbox)
            self._leave()

    def _try_again(self) -> None:
        """Partitions that could not be read may be by now: offsets were set, a topic was mended, an operator has decided."""
        for inbox in list(self._beginnings.impossible):
            self.resume(inbox)
        self._again = time.monotonic() + max(AGAIN_SECONDS, AGAIN_SHARE * len(self._beginnings.impossible))

    # -- where to begin --

    def resume(self, partition: Inbox) -> None:
        if not self._beginnings.is_located(partition):
            self._beginnings.locate([partition])
        start = self._beginnings.start(partition)
        if start is None:
            self._stop_fetching(partition)
            return
        if partition in self._begun:
            self._consumer.resume([self._partition(partition)])
            self._seek(partition, start)
        else:
            self._begun[partition] = start
            self._consumer.incremental_assign([self._partition(partition, start)])
            # The client remembers a pause of the time before the partition went away and came back.
            self._consumer.resume([self._partition(partition)])
        self._paused.discard(partition)

    def pause(self, partition: Inbox) -> None:
        self._beginnings.drop(partition)
        self._stop_fetching(partition)

    def _stop_fetching(self, partition: Inbox) -> None:
        self._paused.add(partition)
        if partition in self._begun:
            self._consumer.pause([self._partition(partition)])

    def rewind(self) -> None:
        self._beginnings.clear()
        reading = self._assigned - self._paused
        if reading:
            self._beginnings.locate(reading)
            for inbox in reading:
                start = self._beginnings.start_again(inbox)
                if start is None:
                    self._stop_fetching(inbox)
                else:
                    self._seek(inbox, start)

    def _seek(self, inbox: Inbox, start: int) -> None:
        """Begins at the offset found; what was fetched before is dropped.

        Never by unassigning: the client would take it for the answer to a rebalance that waits for this process.
        """
        self._asking(f"seek in {inbox.topic}/{inbox.partition}", lambda: self._consumer.seek(self._partition(inbox, start)))
        self._begun[inbox] = start

    def _asking(self, what: str, ask: Callable[[], T]) -> T:
        """As `asking`. Brokers that do not answer are out of reach too: the client tells only of those it lost."""
        try:
            return asking(what, ask)
        except UnavailableError:
            self._out_of_reach = time.monotonic()
            raise

    # -- the transaction --

    def begin(self) -> None:
        self._positions = []  # of a batch that was given up: they were not committed
        self._transactions.begin()

    def note(self, partition: Inbox) -> str:
        return self._beginnings.note(partition)

    def send_offsets(self, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str] = NO_NOTES) -> None:
        marks = {inbox: self._beginnings.mark(inbox) for inbox in offsets}
        marks |= {
            inbox: msgspec.structs.replace(mark, note=notes[inbox])
            for inbox, mark in marks.items()
            if mark and inbox in notes
        }
        self._positions = [self._partition(inbox, offset, marks[inbox]) for inbox, offset in offsets.items()]
        self._transactions.send_offsets(self._positions, self._membership())

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        self._transactions.produce(outgoing)

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        self._transactions.produce_rows(partition, rows)

    def _membership(self) -> Any:
        """The group's metadata, while this process is surely a member.

        Kafka takes offsets without any check from one that names no member, which is what the client does once it has been
        expelled. It cannot join again without a poll, so one that is a member now has been since the batch was polled.
        """
        before = self._consumer.memberid()
        metadata = self._consumer.consumer_group_metadata()
        if not before or self._consumer.memberid() != before:
            raise AbortedError("the group has expelled this process for being silent: it joins again")
        return metadata

    def commit(self) -> Mapping[Inbox, int]:
        ends = self._transactions.commit()
        if self._purge:
            self._purge.committed(self._positions)
        return ends

    def abort(self) -> None:
        self._transactions.abort()

    # -- the table --

    def table_end(self, partition: int) -> TableEnd:
        inboxes = [inbox for inbox in self._assigned if inbox.partition == partition]
        self._beginnings.locate(inboxes)
        consumed = any(self._beginnings.committed(inbox) > 0 for inbox in inboxes)
        return self._table.end(partition)._replace(consumed=consumed)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        return self._table.read(partition, start, end)

    def close(self) -> None:
        self._transactions.close()
        self._consumer.close()
