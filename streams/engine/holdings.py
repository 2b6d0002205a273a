"""The partitions an instance holds: their stores, and how each is brought up to the log before a message is read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from schemas.messages import TICK
from streams.engine.log import Inbox, Session
from streams.engine.outbox import Outgoing
from streams.engine.overlay import Backing, BrokenStoreError, NoBacking, Overlay, StoreError
from streams.engine.own_rows import OwnRows
from streams.engine.store import MARKER, MARKER_KEY, PartitionStore, Progress, Restore, Stores, Sync

log = logging.getLogger(__name__)

TOMBSTONES_KEPT_MS = 7 * 24 * 3_600_000
"""`delete.retention.ms` of table topics; a store not in touch for half of it is rebuilt."""

TOUCH_MS = 3_600_000
"""How often a store that nothing is written to is told that it still lacks nothing."""

Resume = Callable[[Inbox], None]


@dataclass
class _Holding:
    """One partition that is ours."""

    store: PartitionStore | None = None  # complete
    own: OwnRows | None = None  # of the complete store: what the engine keeps there itself
    restore: Restore | None = None  # while catching up
    topic_id: str = ""
    ready: bool = False  # its messages are read
    ready_ms: int = 0
    rebuild: bool = False  # its store failed: what is on disk is not used
    failed: bool = False  # its store has failed once
    bare: bool = False  # its table topic holds nothing yet

    def release(self) -> None:
        """Closes the store. One that cannot be flushed is no loss: it catches up from its topic."""
        store = self.restore.store if self.restore else self.store
        self.store = self.restore = self.own = None
        self.ready = False
        if store is None:
            return
        try:
            store.close()
        except Exception:
            log.exception("a store could not be closed in order: it will catch up from its table topic")


class Holdings:
    """All partitions of one processor instance. Belongs to the instance's thread."""

    def __init__(self, processor: str, session: Session, stores: Stores | None, wall_ms: Callable[[], int]) -> None:
        self._processor = processor
        self._session = session
        self._stores = stores
        self._wall_ms = wall_ms
        self._held: dict[Inbox, _Holding] = {}
        self._touched_ms = wall_ms()

    def __iter__(self) -> Iterator[Inbox]:
        return iter(tuple(self._held))

    def __contains__(self, inbox: Inbox) -> bool:
        return inbox in self._held

    # -- they come and go --

    def take(self, inbox: Inbox) -> None:
        """It is ours; `advance` makes it ready."""
        self._held.setdefault(inbox, _Holding())

    def drop(self, inbox: Inbox) -> None:
        """It is no longer ours; its store is closed."""
        held = self._held.pop(inbox, None)
        if held:
            held.release()

    def close(self) -> None:
        for inbox in self:
            self.drop(inbox)

    # -- catching up --

    @property
    def restoring(self) -> Mapping[Inbox, Progress]:
        """Partitions that are not read yet, and how far their stores are."""
        return {
            inbox: held.restore.progress if held.restore else Progress(0, 0)
            for inbox, held in self._held.items()
            if not held.ready
        }

    def advance(self, resume: Resume) -> None:
        """A slice of work for those that are not ready; `resume` is called for each that has become so.

        Stores are restored one after the other, so that one table is read ahead at a time.
        Raises UnavailableError (call again), StoreError.
        """
        for inbox, held in self._held.items():
            if held.ready:
                continue
            if self._stores is not None and held.store is None and self._goes_on(inbox, held, self._stores):
                return
            resume(inbox)
            held.ready, held.ready_ms = True, self._wall_ms()

    def _goes_on(self, inbox: Inbox, held: _Holding, stores: Stores) -> bool:
        """One slice of a restore; false once the store is complete."""
        restore = held.restore
        if restore is None:
            restore = held.restore = Restore(
                self._session,
                stores,
                inbox.partition,
                max_age_ms=TOMBSTONES_KEPT_MS // 2,
                now_ms=self._wall_ms(),
                rebuild=held.rebuild,
            )
            held.rebuild = False
            if restore.lost:
                what = "%s: the table of %s/%d %s. This store is whole and may be the only copy: keep it, and ask the doctor"
                log.error(what, self._processor, *inbox, restore.lost)
            if restore.rebuilt_because:
                log.warning("%s: store of %s/%d set aside: %s", self._processor, *inbox, restore.rebuilt_because)
        try:
            if restore.advance():
                return True
        except StoreError:
            self.failed(inbox)
            raise
        if restore.progress.total:
            seconds = (self._wall_ms() - restore.began_ms) / 1000
            what = "%s: store of %s/%d complete: %d offsets of its table topic in %.1f s"
            log.info(what, self._processor, *inbox, restore.progress.total, seconds)
        try:
            held.own = OwnRows(restore.store)
        except Exception as error:
            self.failed(inbox)
            raise StoreError("the store could not be read") from error
        held.store, held.topic_id, held.restore = restore.store, restore.topic_id, None
        held.bare = restore.bare
        return False

    def catch_up(self) -> None:
        """Nobody knows what was committed: every store reads its table topic on, before another message is read."""
        for held in self._held.values():
            held.release()

    def failed(self, inbox: Inbox) -> None:
        """The store below a partition failed: `catch_up` will rebuild it. Raises BrokenStoreError the second time."""
        held = self._held[inbox]
        if held.failed:
            raise BrokenStoreError(
                f"{self._processor}: the store of {inbox.topic}/{inbox.partition} failed again after it was rebuilt:"
                " see that its disk is well and has room"
            )
        held.failed = held.rebuild = True

    def was_rebuilt(self, inbox: Inbox) -> bool:
        """Whether the store below a partition has failed before, and so is new."""
        return self._held[inbox].failed

    # -- a batch --

    def backing(self, inbox: Inbox) -> Backing:
        """The committed rows below a batch's writes."""
        return self._held[inbox].store or NoBacking()

    def split(self, inbox: Inbox) -> Mapping[bytes, int]:
        """Keys of the rows that are stored in parts, and into how many."""
        own = self._held[inbox].own
        return own.split if own else {}

    def mark(self, inbox: Inbox, overlay: Overlay) -> None:
        """Before a batch is committed: a table partition that would stay empty gets a row of ours. Were it found empty
        later, it would have lost what it held."""
        if self._held[inbox].bare and not overlay.writes:
            overlay.put(MARKER_KEY, MARKER)

    def apply(self, inbox: Inbox, writes: Mapping[bytes, bytes | None], end: int, began_ms: int) -> None:
        """Step 6 of the commit protocol. `began_ms`: when the batch began, as it was surely ours then."""
        held = self._held[inbox]
        held.bare = False
        if held.store is not None:
            self._write(inbox, held.store, writes, Sync(held.topic_id, end, began_ms))

    def _write(self, inbox: Inbox, store: PartitionStore, writes: Mapping[bytes, bytes | None], sync: Sync) -> None:
        own = self._held[inbox].own
        try:
            store.apply(writes, sync)
            if own is not None:
                own.committed(writes)
        except MemoryError:
            raise
        except Exception as error:
            self.failed(inbox)
            raise StoreError("the store could not be written") from error

    # -- ticks --

    @property
    def parked(self) -> Mapping[Inbox, int]:
        """Messages that wait to be tried again, of partitions whose stores are complete."""
        return {inbox: held.own.parked for inbox, held in self._held.items() if held.own is not None}

    def due(self, now_ms: int, clock: float) -> list[Inbox]:
        """Partitions that are to have a tick: something is due, and no tick waits to be read."""
        held = self._held.items()
        return [inbox for inbox, it in held if it.ready and it.own is not None and it.own.wants_tick(now_ms, clock)]

    def ticked(self, written: Iterable[Outgoing], read: Mapping[Inbox, int], clock: float) -> None:
        """What a batch had of ticks is committed: those it wrote, and the latest time it read in each partition."""
        for inbox, time_ms in read.items():
            if (held := self._held.get(inbox)) and held.own is not None:
                held.own.tick_read(time_ms, clock)
        for tick in written:
            assert tick.partition is not None
            assert tick.value is not None
            if (held := self._held.get(Inbox(tick.topic, tick.partition))) and held.own is not None:
                held.own.tick_written(TICK.decode(tick.value).time)

    def touch(self) -> None:
        """Keeps the stores of quiet partitions from looking old: nothing was written, and nothing is lacking.

        Only the time of the last touch is certain: who has been frozen may have lost its partitions without knowing yet.
        """
        now = self._wall_ms()
        if 0 <= now - self._touched_ms < TOUCH_MS:
            return
        known_ms, self._touched_ms = self._touched_ms, now
        for inbox, held in self._held.items():
            store = held.store
            if store and held.ready and held.ready_ms <= known_ms and store.sync and store.sync.timestamp < known_ms:
                self._write(inbox, store, {}, Sync(held.topic_id, store.sync.offset, known_ms))
