"""The simulated log: partitions, transactions with delayed markers, committed offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from connectors.logs.partitioner import partition_of
from schemas.topics import TopicSpec
from streams.engine.log import FencedError, Inbox
from streams.engine.outbox import Outgoing
from tests.simulation.partition import Partition, Record, Transaction

TRANSACTION_TIMEOUT_MS = 700
LONGEST_MARKER_DELAY_MS = 250


class Broker:
    """What all processes share. Every change of state is one call, so processes interleave only between calls."""

    def __init__(self, random: Random, happened: Callable[[str], None]) -> None:
        self.now = 0
        self._random = random
        self._happened = happened
        self._topics: dict[str, list[Partition]] = {}
        self._epochs: dict[str, int] = {}
        self._transactions: dict[str, Transaction] = {}  # the newest of each producer: the one before is complete
        self._offsets: dict[tuple[str, Inbox], int] = {}

    # -- topics --

    def create(self, specs: Iterable[TopicSpec]) -> None:
        for spec in specs:
            self._topics[spec.name] = [
                Partition(spec.name, number, compacted=spec.compacted) for number in range(spec.partitions)
            ]

    def partitions(self, topic: str) -> list[Partition]:
        return self._topics[topic]

    def partition(self, inbox: Inbox) -> Partition:
        return self._topics[inbox.topic][inbox.partition]

    def append(self, item: Outgoing, timestamp: int, transaction: Transaction | None = None) -> tuple[Inbox, int]:
        """Returns where it went, and its offset."""
        partitions = self._topics[item.topic]
        number = item.partition if item.partition is not None else partition_of(item.key, len(partitions))
        record = Record(item.key, item.value, item.headers, timestamp, transaction)
        return Inbox(item.topic, number), partitions[number].append(record)

    def compact(self, now: int) -> int:
        """Every compacted topic. `now` by the wall clock."""
        return sum(p.compact(now) for partitions in self._topics.values() for p in partitions if p.compacted)

    # -- transactions --

    def register(self, producer: str) -> int:
        """Initialises a transactional id: fences whoever had it, ends what it left open. Returns the epoch."""
        found = self._transactions.get(producer)
        if found is not None and found.committed is None:
            self.decide(found, committed=False)
            self._happened("transaction of a former session aborted")
        self._epochs[producer] = self._epochs.get(producer, 0) + 1
        return self._epochs[producer]

    def settled(self, producer: str) -> bool:
        """Whether the producer's last transaction is complete, so that the next may begin."""
        found = self._transactions.get(producer)
        return found is None or found.complete

    def check(self, producer: str, epoch: int) -> None:
        if self._epochs[producer] != epoch:
            raise FencedError(f"{producer} has epoch {self._epochs[producer]}, not {epoch}")

    def begin(self, producer: str, epoch: int) -> Transaction:
        self.check(producer, epoch)
        assert self.settled(producer), f"{producer} begins before its last transaction is complete"
        found = self._transactions[producer] = Transaction(producer, self.now)
        return found

    def add_offsets(self, transaction: Transaction, group: str, offsets: dict[Inbox, int]) -> None:
        transaction.offsets |= {(group, inbox): offset for inbox, offset in offsets.items()}
        transaction.offsets_pending = bool(transaction.offsets)

    def decide(self, transaction: Transaction, *, committed: bool) -> None:
        """From here on the result is certain; markers bring it to each partition in their own time."""
        assert transaction.committed is None
        transaction.committed = committed
        slow = self._random.random() < 0.3
        delay = LONGEST_MARKER_DELAY_MS if slow else 10
        transaction.due = {p: self.now + self._random.randrange(delay) for p in transaction.partitions}
        transaction.due[None] = self.now + self._random.randrange(delay)

    def tick(self) -> None:
        """Delivers the markers that are due, and aborts transactions that were left open for too long."""
        for producer, transaction in self._transactions.items():
            if transaction.committed is None:
                if self.now - transaction.began > TRANSACTION_TIMEOUT_MS:
                    self._happened("transaction timed out")
                    self._epochs[producer] += 1
                    self.decide(transaction, committed=False)
            elif transaction.due:
                self._deliver(transaction)

    def _deliver(self, transaction: Transaction) -> None:
        for where in [where for where, due in transaction.due.items() if due <= self.now]:
            del transaction.due[where]
            if where is not None:
                where.mark(transaction)
            elif transaction.offsets_pending:
                transaction.offsets_pending = False
                if transaction.committed:
                    self._offsets.update(transaction.offsets)

    # -- committed offsets --

    def is_stable(self, group: str, inbox: Inbox) -> bool:
        """Whether no transaction may still change this committed offset."""
        return not any(t.offsets_pending and (group, inbox) in t.offsets for t in self._transactions.values())

    def offset(self, group: str, inbox: Inbox) -> int:
        return self._offsets.get((group, inbox), 0)

    @property
    def quiet(self) -> bool:
        """No transaction is open or waits for a marker."""
        return all(transaction.complete for transaction in self._transactions.values())
