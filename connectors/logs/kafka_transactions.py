"""The producing end of a session: one transaction at a time, under a stable id, and what its errors mean."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from connectors.logs.kafka_client import PERMANENT, Connection, unanswered
from connectors.logs.kafka_outlets import REFUSALS, Outlets
from streams.engine.log import AbortedError, FencedError, Inbox, LogError, UnknownError
from streams.engine.outbox import Outgoing

log = logging.getLogger(__name__)

COMMIT_SECONDS = 15.0
"""How long a commit may be retried: a little over the transaction time-out, after which the broker has aborted it."""

STOP_SECONDS = 3.0
"""How long a call may still take once the process is to stop."""

SLICE_SECONDS = 1.0
"""How long a call of the client waits before it is looked whether to go on."""

OFFSETS_SECONDS = 3.0
"""How long sending offsets may take; after that the transaction is given up."""

STUCK_SECONDS = 2.0
"""How much longer that call may be silent. After its broker came back, librdkafka 2.16 can wait in it for ever: the request
to the group's coordinator is never sent and never timed out."""

ANY_PARTITION = -1
"""The client chooses it by the key."""

FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})

EXPIRY_SHARE = 0.9
"""Of its time-out. A transaction older than this may have been aborted by the broker; the client is told the same as when
fenced."""


class _Sending:
    """Offsets on their way to the transaction, in a thread of their own."""

    def __init__(self, name: str, producer: Producer, offsets: list[TopicPartition], group: object) -> None:
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(producer, offsets, group), name=name, daemon=True)
        self._thread.start()

    def _run(self, producer: Producer, offsets: list[TopicPartition], group: object) -> None:
        try:
            producer.send_offsets_to_transaction(offsets, group, OFFSETS_SECONDS)
        except BaseException as error:
            self._failed = error.with_traceback(None)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended. Raises what it ended with."""
        self._thread.join(seconds)
        if self._failed is not None:
            # Neither may keep the other: the traceback holds all that its callers know, a whole batch.
            failed, self._failed = self._failed, None
            try:
                raise failed
            finally:
                del failed
        return not self._thread.is_alive()


class KafkaTransactions:
    """One transactional producer. It is made anew, with the same id, whenever nobody knows what state it is in, or a request
    of it may still be on its way: the brokers would take it for one of the next transaction (librdkafka lacks KIP-890). A
    new producer has a new epoch, and what is late carries the old one.
    """

    def __init__(
        self,
        connection: Connection,
        processor: str,
        table: str,
        *,
        max_message_bytes: int,
        stopping: threading.Event,
    ) -> None:
        """`table`: logical name of the processor's table topic."""
        self._connection = connection
        self._outlets = Outlets(connection, processor)
        self._processor = processor
        self._table = table
        self._id = f"{connection.names.prefix}{processor}-{connection.instance}"
        self._max_message_bytes = max_message_bytes
        self._stopping = stopping
        self._producer: Producer | None = None  # None: to be made anew
        self._starting: Producer | None = None  # made, but its initialisation was not answered yet
        self._open = False
        self._cut_off = False  # a connection broke: what was sent on it, and sent again since, may arrive yet
        self._in_doubt = True  # an earlier producer may have left something open, or half committed
        self._began = 0.0
        self._ends: dict[Inbox, int] = {}
        self._expected: set[Inbox] = set()
        self._sending: _Sending | None = None

    def begin(self) -> None:
        producer = self._ready()
        self._ends = {}
        self._expected = set()
        self._began = time.monotonic()
        self._calling(producer.begin_transaction)
        self._open = True

    # -- the offsets --

    def send_offsets(self, offsets: list[TopicPartition], group: object) -> None:
        """`group`: the consumer's group metadata. The answer is awaited by the next call."""
        self._offsets_taken()
        producer = self._current()
        self._sending = _Sending(f"{self._processor} offsets", producer, offsets, group)

    def _offsets_taken(self) -> None:
        """Waits until the offsets sent, if any, have been taken. If that never comes, the call is left behind with its
        producer; a new one takes over."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        try:
            ended = sending.wait(OFFSETS_SECONDS + STUCK_SECONDS)
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            if cause.retriable():
                self._forget(in_doubt=True)
                raise AbortedError(f"the offsets were not taken in time: {cause.str()}") from error
            raise self._translate(cause) from error
        if not ended:
            self._forget(in_doubt=True)
            raise UnknownError("the client is stuck sending offsets: a new one takes over")

    # -- what goes out --

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        producer, outlets = self._producing(), self._outlets
        for item in outlets.diverted(outgoing):
            topic, partition = outlets[item.topic], ANY_PARTITION if item.partition is None else item.partition
            headers: Any = list(item.headers) or None
            try:
                producer.produce(topic, item.value, item.key, partition, headers=headers)
            except (BufferError, KafkaException) as refused:
                self._insist(refused, topic, item.value, item.key, partition, headers=headers)

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        producer, topic = self._producing(), self._outlets[self._table]
        *others, (last_key, last_value) = rows.items()
        for key, value in others:
            try:
                producer.produce(topic, value, key, partition)
            except (BufferError, KafkaException) as refused:
                self._insist(refused, topic, value, key, partition)
        # A partition keeps its order: the last offset is enough.
        self._expected.add(Inbox(self._table, partition))
        try:
            producer.produce(topic, last_value, last_key, partition, self._on_table_delivery)
        except (BufferError, KafkaException) as refused:
            self._insist(refused, topic, last_value, last_key, partition, self._on_table_delivery)

    def _producing(self) -> Producer:
        """The producer, for a call each message: its call for many knows no headers, and is no faster with a dict for each.

        Partitions are added to the transaction when they are first written to; were its group being added at that moment,
        the coordinator would tell one of the two to try again.
        """
        self._offsets_taken()
        return self._current()

    def _insist(self, refused: Exception, *message: Any, **more: Any) -> None:
        """Produces a message that the client has refused once its queue has room. Raises what any other reason means."""
        producer = self._current()
        while isinstance(refused, BufferError):
            self._wait_for_room(producer)
            try:
                producer.produce(*message, **more)
            except (BufferError, KafkaException) as again:
                refused = again
            else:
                return
        raise self._translate(refused.args[0]) from refused

    def _wait_for_room(self, producer: Producer) -> None:
        """The client's queue is full. Raises AbortedError if it stays so for longer than a transaction may take."""
        producer.poll(0.1)
        if time.monotonic() - self._began > COMMIT_SECONDS:
            self._forget(in_doubt=True)
            raise AbortedError("the brokers did not take a batch in time")

    def _on_table_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self._ends[Inbox(self._table, message.partition())] = message.offset() + 1

    # -- how it ends --

    def commit(self) -> Mapping[Inbox, int]:
        self._offsets_taken()
        producer = self._current()
        self._flush(producer)
        self._calling(lambda: producer.commit_transaction(SLICE_SECONDS))
        self._open = False
        producer.poll(0)  # tells of broken connections
        if self._cut_off:
            self._forget()
        if self._ends.keys() != self._expected:
            raise UnknownError("committed, but where the table records went was not told")
        return self._ends

    def _flush(self, producer: Producer) -> None:
        """Waits until all is acknowledged; this serves the delivery reports that tell the table's offsets."""
        began = time.monotonic()
        try:
            while producer.flush(SLICE_SECONDS):
                if self._out_of_patience(began):
                    self._forget(in_doubt=True)
                    raise AbortedError("the brokers did not acknowledge a batch in time")
        except KafkaException as error:
            raise self._translate(error.args[0]) from error
        except SystemError as error:
            # A fatal error found by the flush itself is raised before the last delivery reports are told: Python complains.
            if not isinstance(error.__cause__, KafkaException):
                raise
            raise self._translate(error.__cause__.args[0]) from error

    def abort(self) -> None:
        """Nothing is open or in doubt after this: the open transaction, if any, is given up; what an earlier producer left
        has ended, one way or the other. Raises UnavailableError, FencedError."""
        if self._open:
            self._end_sending()
        producer, was_open, self._open = self._producer, self._open, False
        if producer is not None:
            producer.poll(0)
        if self._cut_off:
            self._forget(in_doubt=was_open)
        elif producer is not None and was_open:
            try:
                self._calling(lambda: producer.abort_transaction(SLICE_SECONDS))
            except (AbortedError, UnknownError) as error:
                log.warning("%s: abort failed, a new producer takes over: %s", self._processor, error)
                self._forget(in_doubt=True)
        if self._in_doubt:
            self._ready()

    def _end_sending(self) -> None:
        """The client takes one call about a transaction at a time. What is given up need not have been taken."""
        try:
            self._offsets_taken()
        except FencedError:
            raise
        except LogError as error:
            log.info("%s: the offsets of what is given up: %s", self._processor, error)

    def close(self) -> None:
        """Gives up what is open, if that is quickly done."""
        self._stopping.set()
        self._in_doubt = False
        try:
            self.abort()
        except LogError as error:
            log.warning("%s: left without an abort, the broker will see to it: %s", self._processor, error)
        self._forget()

    # -- the producer --

    def _on_broken(self) -> None:
        self._cut_off = True

    def _current(self) -> Producer:
        assert self._producer is not None, "no transaction is open"
        return self._producer

    def _ready(self) -> Producer:
        """The producer; a new one if need be, whose initialisation ends what the last one left open.

        One that got no answer goes on at the next call: were it replaced by another, its request could still reach the
        broker after that of the other, and fence it.
        """
        if self._producer is None:
            if self._starting is None:
                self._starting = self._connection.producer(self._id, self._max_message_bytes, self._on_broken)
            producer, began = self._starting, time.monotonic()
            while True:
                try:
                    producer.init_transactions(SLICE_SECONDS)
                    break
                except KafkaException as error:
                    cause: KafkaError = error.args[0]
                    if cause.retriable() and not self._out_of_patience(began):
                        continue
                    if not cause.retriable():
                        self._starting = None
                    if cause.code() in FENCED:
                        raise self._connection.fenced(self._processor, cause) from error
                    raise unanswered(f"transactions of {self._id}", cause) from error
            self._producer, self._starting = producer, None
            self._in_doubt = False
        return self._producer

    def _forget(self, *, in_doubt: bool = False) -> None:
        """Drops the producer without a word to the broker: whoever has its id next ends what it left open."""
        if self._producer is not None and len(self._producer):
            self._producer.purge(blocking=False)  # it would wait for them to be delivered
        self._producer = None
        self._cut_off = False
        self._open = False
        self._sending = None
        self._in_doubt = in_doubt

    def _out_of_patience(self, began: float) -> bool:
        return time.monotonic() - began > (STOP_SECONDS if self._stopping.is_set() else COMMIT_SECONDS)

    def _calling(self, call: Callable[[], object]) -> None:
        """Calls the producer, again while it says so, up to `COMMIT_SECONDS`; `STOP_SECONDS` if the process is to stop."""
        began = time.monotonic()
        while True:
            try:
                call()
            except KafkaException as error:
                cause: KafkaError = error.args[0]
                if cause.retriable() and not self._out_of_patience(began):
                    continue
                raise self._translate(cause) from error
            return

    def _translate(self, cause: KafkaError) -> LogError:
        if cause.code() in FENCED:
            age = time.monotonic() - self._began
            self._forget()
            if age < EXPIRY_SHARE * self._connection.transaction_seconds:
                return self._connection.fenced(self._processor, cause)
            # Said of a transaction that took too long and was aborted for it. Should it be another process after all, the
            # group tells before a new producer is made, at the next poll (group.instance.id), or the next fence comes early.
            return UnknownError(f"the transaction was open for {age:.0f} s and has probably expired ({cause.str()})")
        if cause.code() in REFUSALS and (wrong := self._outlets.examine()):
            return AbortedError(wrong)
        if cause.code() in PERMANENT:
            return LogError(f"{self._processor}: {cause.str()}")
        if cause.txn_requires_abort():
            if cause.code() < 0:  # the client's own finding: some request was not answered
                self._forget(in_doubt=True)
            return AbortedError(cause.str())
        # librdkafka does not know KIP-890: what it could not finish may or may not have happened.
        self._forget(in_doubt=True)
        return UnknownError(cause.str())
