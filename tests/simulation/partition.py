"""One partition as a broker keeps it: offsets with gaps, and transactions that readers may not see yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from streams.engine.contract import Headers
from streams.engine.log import Inbox

TOMBSTONES_KEPT_MS = 7 * 24 * 3_600_000
"""`delete.retention.ms` of the compacted topics."""


@dataclass(eq=False)
class Transaction:
    """One transaction of one producer. Decided at once, seen when its markers arrive: partition by partition."""

    producer: str
    began: int
    committed: bool | None = None  # None: not decided
    offsets: dict[tuple[str, Inbox], int] = field(default_factory=dict)  # by group and inbox
    partitions: list[Partition] = field(default_factory=list)  # those it has written to and whose marker is not there yet
    offsets_pending: bool = False
    due: dict[Partition | None, int] = field(default_factory=dict)  # when each marker arrives; None: the offsets'

    @property
    def complete(self) -> bool:
        """Decided, and every marker has arrived."""
        return self.committed is not None and not self.partitions and not self.offsets_pending


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    transaction: Transaction | None


class Partition:
    """Entries by offset; None where a marker is, or was compacted or purged."""

    def __init__(self, topic: str, number: int, *, compacted: bool) -> None:
        self.topic = topic
        self.number = number
        self.compacted = compacted
        self.start = 0
        self._entries: list[Record | None] = []
        self._horizons: dict[int, int] = {}  # of tombstones that a compaction has met: when they may go
        self._purged: list[tuple[int, Record]] = []
        self._open: dict[Transaction, int] = {}  # first offset of each transaction whose marker is not here yet

    @property
    def end(self) -> int:
        """The high watermark: one past the last entry, seen or not."""
        return len(self._entries)

    @property
    def stable(self) -> int:
        """The last stable offset: read-committed readers get no further."""
        return min(self._open.values(), default=len(self._entries))

    def append(self, record: Record) -> int:
        """Returns its offset."""
        transaction = record.transaction
        if transaction is not None and transaction not in self._open:
            self._open[transaction] = self.end
            transaction.partitions.append(self)
        self._entries.append(record)
        return self.end - 1

    def mark(self, transaction: Transaction) -> None:
        """The marker of a decided transaction arrives."""
        del self._open[transaction]
        transaction.partitions.remove(self)
        self._entries.append(None)

    def read(self, position: int, limit: int) -> tuple[list[tuple[int, Record]], int]:
        """Committed records from a position on, with their offsets, and the position behind them."""
        assert position >= self.start, f"{self.topic}/{self.number} is read at {position}, where it was purged"
        found: list[tuple[int, Record]] = []
        stable = self.stable
        while position < stable and len(found) < limit:
            record = self._entries[position]
            if record is not None and _visible(record):
                found.append((position, record))
            position += 1
        return found, position

    def committed(self) -> list[tuple[int, Record]]:
        """Everything a read-committed reader sees."""
        return self.read(self.start, self.end)[0]

    @property
    def history(self) -> list[tuple[int, Record]]:
        """The same, as one saw it who read before anything was purged."""
        return self._purged + self.committed()

    def latest(self) -> dict[bytes, bytes]:
        """The rows of a compacted partition."""
        rows = {record.key: record.value for _, record in self.committed() if record.key is not None}
        return {key: value for key, value in rows.items() if value is not None}

    def purge(self, before: int) -> None:
        """Deletes what has been consumed."""
        self._purged += [(offset, record) for offset, record in self.committed() if offset < before]
        self._entries[self.start : before] = [None] * (before - self.start)
        self.start = max(self.start, before)

    def compact(self, now: int) -> int:
        """Keeps each key's newest committed record, and a tombstone for as long as they are kept after the first compaction
        that met it (its delete horizon: so a reader in the midst of what it deletes has that long to reach it). Returns how
        many went."""
        newest = {record.key: offset for offset, record in self.committed()}
        gone = 0
        for offset in range(self.stable):
            record = self._entries[offset]
            if record is None:
                continue
            expired = record.value is None and now > self._horizons.setdefault(offset, now + TOMBSTONES_KEPT_MS)
            if newest.get(record.key) != offset or expired:
                self._entries[offset] = None
                gone += 1
        return gone


def _visible(record: Record) -> bool:
    return record.transaction is None or bool(record.transaction.committed)
