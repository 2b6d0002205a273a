"""The Kafka log: consumer groups spread partitions, a transaction makes a batch atomic (read-process-write, KIP-447)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, TopicPartition

from connectors.logs.kafka_client import PERMANENT, REQUEST_SECONDS, Connection, asking, unanswered
from connectors.logs.kafka_orphans import Orphans
from connectors.logs.kafka_purge import Purge
from connectors.logs.kafka_table import KafkaTable
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import LARGEST_MESSAGE_BYTES, table_topic
from streams.engine.contract import Message
from streams.engine.log import (
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
        purge: bool = False,
        max_message_bytes: int = LARGEST_MESSAGE_BYTES,
        table_id: str = "",
        stopping: threading.Event | None = None,
    ) -> None:
        """`from_beginning`: partitions without a committed offset start at the first message (source topics); else they are
        an error, as `singleview init` commits first offsets for every inbox of our own. `purge`: what is consumed is
        deleted. `table_id`: of the table topic, if it is known: another one has lost what it held. `stopping`: set by
        whoever stops the process; calls that wait for a broker give up soon after."""
        self._connection = connection
        self._processor = processor
        self._names = connection.names
        self._group = self._names.prefix + processor
        self._topics = [self._names.physical(topic) for topic in topics]
        self._logical = dict(zip(self._topics, topics, strict=True))
        self._from_beginning = from_beginning
        self._assigned: set[Inbox] = set()
        self._paused: set[Inbox] = set()
        self._starts: dict[Inbox, int] = {}  # committed offsets found and not begun at yet
        self._begun: dict[Inbox, int] = {}  # where reading a partition began
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
        self._positions: list[TopicPartition] = []  # sent with the open transaction
        self._consumer = self._member()

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def transaction_seconds(self) -> float:
        return self._connection.transaction_seconds

    def _member(self) -> Consumer:
        return self._connection.member(self._group, self._on_client_error)

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
            self._orphans.rebalanced()
        inboxes = [self._inbox(tp) for tp in partitions]
        self._assigned.update(inboxes)
        self._paused.update(inboxes)
        self._listener.assigned(inboxes)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        inboxes = {self._inbox(tp) for tp in partitions}
        fetched = [self._partition(inbox) for inbox in inboxes & self._begun.keys()]
        self._forget(inboxes)
        consumer.incremental_unassign(fetched)

    def _forget(self, inboxes: set[Inbox]) -> None:
        self._listener.revoked(inboxes)
        self._assigned -= inboxes
        self._paused -= inboxes
        for inbox in inboxes:
            self._starts.pop(inbox, None)
            self._begun.pop(inbox, None)

    def _inbox(self, tp: TopicPartition) -> Inbox:
        return Inbox(self._logical[tp.topic], tp.partition)

    def _partition(self, inbox: Inbox, offset: int = OFFSET_INVALID) -> TopicPartition:
        return TopicPartition(self._names.physical(inbox.topic), inbox.partition, offset)

    # -- the inbox --

    def poll(self, limit: int, timeout: float) -> list[Message]:
        if not self._joined:
            self._join()
        if self._orphans:
            self._orphans.look()
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
        if error.fatal() or error.code() == KafkaError._FATAL:  # as an event, a fatal error does not call itself so
            if "fenced" in error.str().lower():
                raise self._fenced(error)
            if STILL_USED in error.str():
                raise self._still_used(error)
            raise LogError(f"{self._processor}: {topic} cannot be read: {error.str()}")
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART and self._from_beginning:
            self._tell(error.code(), f"topic {topic} does not exist yet: waiting for its source")
        elif error.code() in PERMANENT or error.code() == KafkaError._AUTO_OFFSET_RESET:
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

    def resume(self, partition: Inbox) -> None:
        if partition not in self._starts:
            self._locate([partition])
        if partition in self._begun:
            self._consumer.resume([self._partition(partition)])
            self._seek(partition)
        else:
            self._begun[partition] = self._starts.pop(partition)
            self._consumer.incremental_assign([self._partition(partition, self._begun[partition])])
            # The client remembers a pause of the time before the partition went away and came back.
            self._consumer.resume([self._partition(partition)])
        self._paused.discard(partition)

    def pause(self, partition: Inbox) -> None:
        self._paused.add(partition)
        self._starts.pop(partition, None)
        if partition in self._begun:
            self._consumer.pause([self._partition(partition)])

    def rewind(self) -> None:
        self._starts.clear()
        reading = self._assigned - self._paused
        if reading:
            self._locate(reading)
            for inbox in reading:
                self._seek(inbox)

    def _locate(self, inboxes: Collection[Inbox]) -> None:
        """Finds the stable committed offsets: open transactions of a former owner end first."""
        wanted = [self._partition(inbox) for inbox in inboxes]
        what = f"committed offsets of {self._processor}"
        for found in self._asking(what, lambda: self._consumer.committed(wanted, REQUEST_SECONDS)):
            if found.error:
                raise unanswered(f"{what} in {found.topic}/{found.partition}", found.error)
            if found.offset < 0 and not self._from_beginning:
                raise LogError(f"{found.topic}/{found.partition} has no committed offset: run `singleview init` first")
            self._starts[self._inbox(found)] = found.offset if found.offset >= 0 else self._first(found)

    def _first(self, partition: TopicPartition) -> int:
        """The first offset there is."""
        what = f"first offset of {partition.topic}/{partition.partition}"
        found = self._asking(what, lambda: self._consumer.get_watermark_offsets(partition, REQUEST_SECONDS))
        assert found is not None  # it raises when it does not know
        return found[0]

    def _seek(self, inbox: Inbox) -> None:
        """Begins at the offset found; what was fetched before is dropped.

        Never by unassigning: the client would take it for the answer to a rebalance that waits for this process.
        """
        start = self._starts[inbox]
        self._asking(f"seek in {inbox.topic}/{inbox.partition}", lambda: self._consumer.seek(self._partition(inbox, start)))
        self._begun[inbox] = self._starts.pop(inbox)

    def _asking(self, what: str, ask: Callable[[], T]) -> T:
        """As `asking`. Brokers that do not answer are out of reach too: the client tells only of those it lost."""
        try:
            return asking(what, ask)
        except UnavailableError:
            self._out_of_reach = time.monotonic()
            raise

    # -- the transaction --

    def begin(self) -> None:
        self._transactions.begin()

    def send_offsets(self, offsets: Mapping[Inbox, int]) -> None:
        self._positions = [self._partition(inbox, offset) for inbox, offset in offsets.items()]
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
        self._locate(inboxes)
        consumed = any(self._starts[inbox] > 0 for inbox in inboxes)
        return self._table.end(partition)._replace(consumed=consumed)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        return self._table.read(partition, start, end)

    def close(self) -> None:
        self._transactions.close()
        self._consumer.close()
