"""A session on the simulated log, as the runtime sees it; behaves as the Kafka one does when all goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from schemas.topics import table_topic
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
    UnknownError,
)
from streams.engine.outbox import Outgoing
from tests.simulation.broker import Broker
from tests.simulation.groups import Group
from tests.simulation.partition import Transaction
from tests.simulation.weather import Weather

TOPIC_ID = "the table's topic id"


class Host(Protocol):
    """The process a session lives in."""

    name: str

    def point(self, where: str) -> None:
        """Others may run here, and the process may freeze or die."""
        ...

    def wait(self, where: str, until: Callable[[], bool]) -> None:
        """Waits until it is true. Raises UnavailableError when that takes too long."""
        ...

    def happened(self, what: str, detail: str = "") -> None: ...

    def wall_ms(self) -> int: ...


class SimulatedSession:
    """One processor instance's end of the simulated log."""

    transaction_seconds = math.inf  # by the clock of the process, which is another than the broker's

    _listener: Listener

    def __init__(self, host: Host, broker: Broker, group: Group, weather: Weather, producer: str) -> None:
        self._host = host
        self._broker = broker
        self._group = group
        self._weather = weather
        self._producer = producer
        self._table = table_topic(group.name)
        self._positions: dict[Inbox, int] = {}  # of resumed partitions
        self._starts: dict[Inbox, int] = {}  # committed offsets fetched before the end of the table was
        self._owned: dict[Inbox, None] = {}
        self.catching_up: set[int] = set()  # partitions whose table is being read
        self._transaction: Transaction | None = None
        self._must_abort = False
        self._broken = False
        self._sending: dict[Inbox, int] = {}  # offsets not yet taken
        self._ends: dict[Inbox, int] = {}
        self._epoch = 0
        self._register()
        self.member = group.join(host.name)

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def _register(self) -> None:
        self._host.point("register")
        self._epoch = self._broker.register(self._producer)
        self._host.wait("register", lambda: self._broker.settled(self._producer))
        self._broken = self._must_abort = False
        self._transaction = None

    # -- partitions come and go --

    def _rebalance(self) -> None:
        group = self._group
        if self.member.gone:
            self._lose()
            self.member = group.join(self._host.name)
        self.member.generation = group.generation
        leaving = [inbox for inbox in group.to_give_up(self.member) if inbox in self._owned]
        if leaving:
            self._host.happened("partitions revoked", _names(leaving))
            if any(inbox not in self._positions for inbox in leaving):
                self._host.happened("partitions revoked during their restore")
            self._forget(leaving)
        given = group.to_give_up(self.member)
        if given:
            group.give_up(self.member, given)
        coming = [inbox for inbox in group.holds(self.member) if inbox not in self._owned]
        if coming:
            self._owned |= dict.fromkeys(coming)
            self._host.happened("partitions assigned", _names(coming))
            self._listener.assigned(coming)

    def _lose(self) -> None:
        if self._owned:
            self._host.happened("partitions lost", _names(self._owned))
            self._forget(list(self._owned))

    def owns(self, inbox: Inbox) -> bool:
        """Whether the worker knows that it has this partition."""
        return inbox in self._owned

    def _forget(self, inboxes: list[Inbox]) -> None:
        self._listener.revoked(inboxes)
        for inbox in inboxes:
            del self._owned[inbox]
            self._positions.pop(inbox, None)
            self._starts.pop(inbox, None)
            self.catching_up.discard(inbox.partition)

    def _committed(self, inbox: Inbox) -> int:
        """The stable committed offset: waits for transactions that may still change it."""
        self._away("fetch offset")
        if not self._broker.is_stable(self._group.name, inbox):
            self._host.happened("offset fetch waited")
            self._host.wait("fetch offset", lambda: self._broker.is_stable(self._group.name, inbox))
        return self._broker.offset(self._group.name, inbox)

    def _away(self, call: str, kind: str = "away") -> None:
        """The log may not answer here."""
        self._host.point(call)
        if self._weather.strikes(kind):
            self._host.happened(f"log away at {call}")
            raise UnavailableError(call)

    # -- the inbox --

    def poll(self, limit: int, timeout: float) -> list[Message]:
        self._away("poll")
        assert self._transaction is None, "a batch is open during a poll"
        found: list[Message] = []
        if self._weather.strikes("early fetch"):
            found = self._fetch(self._weather.random.randrange(limit + 1))
        self._rebalance()
        return found + self._fetch(limit - len(found))

    def _fetch(self, limit: int) -> list[Message]:
        found: list[Message] = []
        inboxes = list(self._positions)
        self._weather.random.shuffle(inboxes)
        for inbox in inboxes:
            if len(found) >= limit:
                break
            partition = self._broker.partition(inbox)
            if self._positions[inbox] < partition.start:
                assert self.member.gone, f"{inbox} is read where it was purged"
                raise LogError("what a zombie wants to read is gone")
            records, self._positions[inbox] = partition.read(self._positions[inbox], limit - len(found))
            found += [
                Message(inbox.topic, inbox.partition, offset, r.key, r.value, r.headers, r.timestamp)
                for offset, r in records
            ]
        return found

    def resume(self, partition: Inbox) -> None:
        start = self._starts.pop(partition, None)
        self._positions[partition] = self._committed(partition) if start is None else start
        self.catching_up.discard(partition.partition)

    def pause(self, partition: Inbox) -> None:
        self._positions.pop(partition, None)
        self._starts.pop(partition, None)

    def rewind(self) -> None:
        self._starts.clear()
        for inbox in list(self._positions):
            self._positions[inbox] = self._committed(inbox)

    # -- the transaction --

    def _error(self, call: str) -> None:
        """The log may fail here."""
        self._host.point(call)
        self._broker.check(self._producer, self._epoch)
        if self._weather.strikes("aborted"):
            self._host.happened(f"aborted at {call}")
            self._must_abort = True
            raise AbortedError(call)
        if self._weather.strikes("unknown"):
            self._host.happened(f"unknown at {call}")
            self._broken = True
            raise UnknownError(call)

    def begin(self) -> None:
        assert self._transaction is None, "a batch begins in another one"
        assert not self._broken, "a batch begins with a broken producer"
        self._error("begin")
        self._host.wait("begin", lambda: self._broker.settled(self._producer))
        self._transaction = self._broker.begin(self._producer, self._epoch)
        self._ends = {}

    def _open(self) -> Transaction:
        assert self._transaction is not None, "no batch is open"
        assert not self._must_abort, "a failed batch goes on"
        assert not self._broken, "a broken producer is used"
        return self._transaction

    def note(self, partition: Inbox) -> str:
        return ""

    def send_offsets(self, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str] = NO_NOTES) -> None:
        assert not notes, "a simulated processor has a store, and remembers there"
        self._open()
        self._sending = dict(offsets)
        if self._weather.random.random() < 0.5:
            self._offsets_taken()

    def _offsets_taken(self) -> None:
        """At once, or only when the next call waits for it."""
        offsets, self._sending = self._sending, {}
        if not offsets:
            return
        transaction = self._open()
        self._error("send offsets")
        if not self.member.gone and self._weather.random.random() < 0.8:
            self.member.generation = self._group.generation  # a heartbeat has told
        if not self._group.accepts(self.member):
            self._host.happened(
                "offsets of a zombie refused" if self.member.gone else "offsets of an old generation refused"
            )
            self._must_abort = True
            raise AbortedError("the generation is over")
        self._broker.add_offsets(transaction, self._group.name, offsets)

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        self._offsets_taken()
        transaction = self._open()
        for item in outgoing:
            if self._weather.random.random() < 0.2:
                self._error("produce")
            self._broker.check(self._producer, self._epoch)
            where, offset = self._broker.append(item, self._host.wall_ms(), transaction)
            if where.topic == self._table:
                self._ends[where] = offset + 1

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        self.produce(Outgoing(self._table, key, value, (), partition) for key, value in rows.items())

    def commit(self) -> Mapping[Inbox, int]:
        self._offsets_taken()
        transaction = self._open()
        self._error("commit")
        self._broker.decide(transaction, committed=True)
        reached = " ".join(f"{where.topic}/{where.partition}:{offset}" for (_, where), offset in transaction.offsets.items())
        self._host.happened("batch committed", reached)
        self._transaction = None
        if self._weather.strikes("unknown"):
            self._host.happened("commit happened, result unknown")
            self._broken = True
            raise UnknownError("commit")
        if self._weather.strikes("ends unknown"):
            self._host.happened("committed, offsets of the table unknown")
            raise UnknownError("where the table records went was not told")
        return self._ends

    def abort(self) -> None:
        self._away("abort")
        self._sending = {}
        if self._broken:
            self._register()
        elif self._transaction is not None:
            self._broker.check(self._producer, self._epoch)
            if self._weather.strikes("unknown"):
                self._host.happened("abort failed, producer renewed")
                self._broken = True
                self._register()
            else:
                self._broker.decide(self._transaction, committed=False)
        self._transaction = None
        self._must_abort = False

    # -- the table --

    def table_end(self, partition: int) -> TableEnd:
        for inbox in self._group.inboxes:
            if inbox.partition == partition:
                self._starts[inbox] = self._committed(inbox)
        self._away("table end")
        self.catching_up.add(partition)
        found = self._broker.partition(Inbox(self._table, partition))
        if found.stable < found.end:
            self._host.happened("restore begins with the stable offset behind")
        return TableEnd(TOPIC_ID, found.start, found.end)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        source = self._broker.partition(Inbox(self._table, partition))
        position = start
        while position < end:
            self._away("restore", "away during a restore")
            records, reached = source.read(position, self._weather.random.randrange(1, 20))
            if reached == position:
                self._host.happened("restore waited for the stable offset")
            position = reached
            yield [TableRecord(offset, record.key, record.value) for offset, record in records if record.key is not None]

    def close(self) -> None:
        self.abort()
        if self.member.gone:
            self._lose()
        elif self._owned:
            self._forget(list(self._owned))
        self._group.leave(self.member)


def _names(inboxes: Iterable[Inbox]) -> str:
    return " ".join(f"{inbox.topic}/{inbox.partition}" for inbox in inboxes)
