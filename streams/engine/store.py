"""The committed store of a partition as the engine sees it, and how it catches up with its table topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from streams.engine.contract import ENGINE
from streams.engine.log import LogError, TableEnd, TableLog, TableRecord
from streams.engine.overlay import Backing, StoreError

CLOCKS_DIFFER_MS = 3_600_000

ANEW = "or begin anew under another prefix (embedded: in another data folder), and every source is read from its beginning"

MARKER_KEY, MARKER = ENGINE + b"marker", b"\1"
"""The row of a table partition whose first messages made none: an empty one under consumed messages has lost its rows."""


class Sync(msgspec.Struct, frozen=True, array_like=True):
    """The point of the table topic that a store reflects; written in one atomic batch with the rows."""

    topic_id: str
    offset: int  # one past the last table record applied
    timestamp: int  # when it was last known to lack nothing of the topic, ms since the epoch


class PartitionStore(Backing, Protocol):
    """Rows on disk, at or behind the committed log."""

    @property
    def sync(self) -> Sync | None:
        """None for an empty store."""
        ...

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        """Step 6 of the commit protocol. All or nothing."""
        ...

    def close(self) -> None: ...


class Stores(Protocol):
    """Opens the stores of one processor."""

    def open(self, partition: int) -> PartitionStore: ...

    def rebuild(self, partition: int) -> PartitionStore:
        """Sets aside what is on disk, and opens an empty store. The partition's store must be closed."""
        ...


class LostTableError(LogError):
    """A table topic lacks records, and there is no store on this machine that has them."""


def lost_table(what: str, topic: str) -> str:
    """What is said of a table topic that lost its records, or some of them."""
    return (
        f"{what}: it holds all that its processor knows, and nothing runs without that. Stop every process and keep the data"
        " folders, whose stores may be the only copy. Bring the topic back from a mirror or backup, whole, and run"
        f" `singleview init --accept {topic}`; {ANEW}"
    )


class Progress(NamedTuple):
    """How far a restore is, in table records."""

    done: int
    total: int


class Restore:
    """Brings one store up to its table topic, a slice at a time, so that its owner can go on polling."""

    def __init__(
        self, log: TableLog, stores: Stores, partition: int, *, max_age_ms: int, now_ms: int, rebuild: bool = False
    ) -> None:
        """`rebuild`: what is on disk is known to be of no use.

        Raises UnavailableError: nothing was done then. Raises LostTableError if the topic lacks records that the store on
        disk does not have either; the store stays where it is.
        """
        end = log.table_end(partition)
        self.lost = _lost(end)
        self.rebuilt_because = "it failed" if rebuild else ""
        if rebuild:
            self._refuse_lost(end, partition)
            store = stores.rebuild(partition)
        else:
            store = stores.open(partition)
            self.rebuilt_because = _distrust(store.sync, end, max_age_ms, now_ms)
            if self.rebuilt_because or store.sync is None:
                if self.lost:
                    store.close()
                self._refuse_lost(end, partition)
            if self.rebuilt_because:
                store.close()
                store = stores.rebuild(partition)
        self.store = store
        self._topic_id = end.topic_id
        self.began_ms = now_ms
        self._position = store.sync.offset if store.sync else end.start
        self._from = self._position
        self._end = end.end
        self._read: Callable[[], Iterator[list[TableRecord]]] = lambda: log.read_table(partition, self._position, end.end)
        self._slices = self._read()

    def _refuse_lost(self, end: TableEnd, partition: int) -> None:
        if self.lost:
            raise LostTableError(lost_table(f"{end.name}/{partition} {self.lost}", end.name))

    @property
    def bare(self) -> bool:
        """Whether the topic held nothing when the restore began."""
        return self._end == 0

    @property
    def progress(self) -> Progress:
        return Progress(self._position - self._from, self._end - self._from)

    @property
    def topic_id(self) -> str:
        return self._topic_id

    def advance(self) -> bool:
        """Applies one slice; False once the store has caught up. Raises UnavailableError: call again."""
        try:
            records = next(self._slices, None)
        except LogError:
            self._slices = self._read()  # a generator that has raised is over: its end would look like the table's
            raise
        if records is None:
            self._apply({}, self.began_ms)
            self._position = self._end
            return False
        if records:
            self._position = records[-1].offset + 1
            # Half a restore is no younger than its beginning: tombstones it has yet to read may go meanwhile.
            known_ms = self.store.sync.timestamp if self.store.sync else self.began_ms
            self._apply({record.key: record.value for record in records}, known_ms)
        return True

    def _apply(self, rows: Mapping[bytes, bytes | None], timestamp: int) -> None:
        try:
            self.store.apply(rows, Sync(self._topic_id, self._position, timestamp))
        except Exception as error:
            raise StoreError("the store could not be written") from error


def _lost(topic: TableEnd) -> str:
    """What shows that records of a table topic are gone; empty if nothing does. Compaction never moves its beginning."""
    if topic.start > 0:
        return f"begins at offset {topic.start:,}, not 0: records before it were deleted"
    if topic.end == 0 and topic.consumed:
        return "is empty, though messages of its inbox were consumed"
    return ""


def _distrust(sync: Sync | None, topic: TableEnd, max_age_ms: int, now_ms: int) -> str:
    """Why a store on disk must not be used; empty if it may."""
    if sync is None:
        return ""
    if sync.topic_id != topic.topic_id:
        return "it belongs to another topic"
    if sync.offset > topic.end:
        return "it is ahead of its topic"
    if sync.offset < topic.start:
        return "records it lacks are gone from its topic"
    if now_ms - sync.timestamp > max_age_ms:
        # Tombstones of rows it still holds may be gone from the topic: deleted customers would come back.
        return "it is older than the topic keeps tombstones"
    if sync.timestamp - now_ms > CLOCKS_DIFFER_MS:
        return "it was written in the future: a clock is or was wrong, so nobody knows how old it is"
    return ""
