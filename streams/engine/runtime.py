"""The runtime of one processor instance: a batch at a time, each one transaction.

The commit protocol; each number is a crash point in the tests:

    1. begin
    2. read the batch, prefetch, fold: writes stay in the overlay, outputs in the outbox
    3. produce outputs and one table record per dirty key
    4. send the consumed offsets to the transaction
    5. commit
    6. write the overlay to the store, with the table offset it reflects

The disk is never ahead of the commit: a crash between 5 and 6 is caught up from the table topic at the next start.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.messages import UnknownVersionError
from schemas.topics import table_topic
from streams.engine.contract import Message, Processor, RejectedError, SourceStoppedError, TransientError
from streams.engine.dead_letters import dead_letter
from streams.engine.log import AbortedError, Inbox, LogError, Session, UnknownError
from streams.engine.outbox import BatchOutbox, Outgoing, Partitioner
from streams.engine.overlay import NoBacking, Overlay, StoreError
from streams.engine.store import PartitionStore, Progress, Restore, Stores, Sync
from streams.engine.trace import trace_of

log = logging.getLogger(__name__)

CrashPoint = Callable[[int], None]
TOMBSTONES_KEPT_MS = 7 * 24 * 3_600_000
"""`delete.retention.ms` of table topics; a store not in touch for half of it is rebuilt."""


class Limits(NamedTuple):
    """Bounds of one batch. A transaction must end well inside its time-out (10 s)."""

    messages: int = 2_000
    fold_seconds: float = 2.0
    retry_seconds: float = 0.2  # first pause after a failed batch; doubled up to 5 s


@dataclass
class Counts:
    """What an instance has done since it started."""

    messages: int = 0
    batches: int = 0
    produced: int = 0
    retries: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)


@dataclass
class _Partition:
    """A partition that is ours."""

    store: PartitionStore | None = None
    restore: Restore | None = None  # while catching up; no message is read meanwhile
    topic_id: str = ""


class Worker:
    """Runs one processor on the partitions the log gives it. Not thread-safe: one thread calls `step` until done."""

    def __init__(
        self,
        processor: Processor,
        session: Session,
        stores: Stores | None,
        *,
        partitioners: dict[str, Partitioner] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        at: CrashPoint = lambda step: None,  # noqa: ARG005
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self.counts = Counts()
        self.stopped: dict[str, str] = {}  # source topic -> why it was stopped
        self._processor = processor
        self._session = session
        self._stores = stores
        self._partitioners = partitioners or {}
        self._limits = limits
        self._at = at
        self._clock = clock
        self._wall_ms = wall_ms
        self._partitions: dict[Inbox, _Partition] = {}
        self._left: list[Message] = []  # polled, not yet folded: the batch before took too long
        self._moved: set[Inbox] = set()  # went away during this poll; they may have come back in it
        self._failures = 0

    # -- partitions come and go (called from within session.poll) --

    def assigned(self, partitions: Iterable[Inbox]) -> None:
        for inbox in partitions:
            if inbox not in self._partitions:
                self._partitions[inbox] = _Partition()
                self._catch_up(inbox)

    def revoked(self, partitions: Iterable[Inbox]) -> None:
        gone = set(partitions)
        self._moved |= gone
        self._left = [m for m in self._left if Inbox(m.topic, m.partition) not in gone]
        for inbox in gone & self._partitions.keys():
            self._release(self._partitions.pop(inbox))

    def _release(self, partition: _Partition) -> None:
        store = partition.restore.store if partition.restore else partition.store
        if store:
            store.close()
        partition.store = partition.restore = None

    def _catch_up(self, inbox: Inbox) -> None:
        """Starts bringing a partition's store up to the log; `step` goes on with it."""
        partition = self._partitions[inbox]
        self._release(partition)
        if self._stores is None:
            self._ready(inbox)
            return
        restore = Restore(
            self._session,
            self._stores,
            inbox.partition,
            max_age_ms=TOMBSTONES_KEPT_MS // 2,
            now_ms=self._wall_ms(),
        )
        if restore.rebuilt_because:
            log.warning("store of %s/%d set aside: %s", *inbox, restore.rebuilt_because)
        partition.restore = restore

    def _ready(self, inbox: Inbox) -> None:
        if inbox.topic not in self.stopped:
            self._session.resume(inbox)

    @property
    def partitions(self) -> tuple[Inbox, ...]:
        """Partitions that are ours, restored or not."""
        return tuple(self._partitions)

    @property
    def restoring(self) -> Mapping[Inbox, Progress]:
        """Partitions that are not read yet, and how far their stores are."""
        return {inbox: p.restore.progress for inbox, p in self._partitions.items() if p.restore}

    def _advance_restores(self) -> None:
        for inbox, partition in self._partitions.items():
            restore = partition.restore
            if restore and not restore.advance():
                partition.store, partition.topic_id, partition.restore = restore.store, restore.topic_id, None
                self._ready(inbox)

    # -- the loop --

    def step(self, timeout: float) -> int:
        """One batch, if there are messages. Returns how many messages were committed.

        Raises FencedError when another instance has this id; StoreError when the disk fails.
        """
        self._advance_restores()
        messages, self._left = self._left, []
        if not messages:
            messages = self._poll(0 if self.restoring else timeout)
        if not messages:
            return 0
        try:
            done = self._transact(messages)
        except (AbortedError, UnknownError, TransientError) as error:
            self._back_off(error)
            return 0
        self._failures = 0
        self.counts.messages += done
        self.counts.batches += 1
        return done

    def _poll(self, timeout: float) -> list[Message]:
        """What the log has for us. What it gave before a partition went away is dropped: another may have done it since."""
        self._moved.clear()
        messages = self._session.poll(self._limits.messages, timeout)
        if not self._moved:
            return messages
        for inbox, partition in self._partitions.items():
            if inbox in self._moved and not partition.restore:
                self._ready(inbox)  # back already, without a store to catch up: again from the committed offset
        return [m for m in messages if Inbox(m.topic, m.partition) not in self._moved]

    def _back_off(self, error: Exception) -> None:
        """The batch did not happen, or nobody knows: forget it, and begin again from what is committed."""
        self._left = []
        self._session.abort()
        if isinstance(error, UnknownError):
            for inbox in self._partitions:
                self._session.pause(inbox)
                self._catch_up(inbox)
        self._session.rewind()
        self.counts.retries += 1
        self._failures += 1
        pause = min(self._limits.retry_seconds * 2 ** (self._failures - 1), 5.0)
        log.warning("%s: batch given back, again in %.1f s: %s", self._processor.name, pause, error)
        time.sleep(pause)

    def _transact(self, messages: list[Message]) -> int:
        began_ms = self._wall_ms()
        self._at(1)
        self._session.begin()
        self._at(2)
        out = BatchOutbox(self._partitioners)
        fold = self._fold(messages, out)
        self._at(3)
        outgoing = [*out.outgoing(), *self._table_records(fold.overlays)]
        self._session.produce(outgoing)
        self._at(4)
        self._session.send_offsets(fold.offsets)
        self._at(5)
        ends = self._session.commit()
        self._at(6)
        self._apply(fold, ends, began_ms)
        self._at(7)
        self.counts.produced += len(outgoing)
        self.counts.dead_letters.update(fold.rejected)
        return fold.folded

    # -- step 2 --

    def _fold(self, messages: list[Message], out: BatchOutbox) -> _Fold:
        fold = _Fold()
        deadline = self._clock() + self._limits.fold_seconds
        for inbox, group in _by_partition(messages).items():
            partition = self._partitions.get(inbox)
            if partition is None:
                continue  # revoked while this batch was being polled
            overlay = Overlay(partition.store or NoBacking())
            fold.overlays[inbox] = overlay
            self._prepare(group, overlay)
            for index, message in enumerate(group):
                if inbox.topic in self.stopped:
                    self._session.pause(inbox)
                    break
                if fold.folded and self._clock() > deadline:
                    self._left.extend(group[index:])
                    break
                if self._one(message, overlay, out, fold):
                    fold.offsets[inbox] = message.offset + 1
                    fold.folded += 1
        return fold

    def _prepare(self, group: list[Message], overlay: Overlay) -> None:
        """Lets the processor look ahead. If that fails for some message, `process` will meet it, and reject it alone."""
        try:
            self._processor.prepare(group, overlay)
        except (StoreError, LogError, TransientError):
            raise
        except Exception as error:
            log.exception("%s: could not prepare a batch", self._processor.name, exc_info=_without_text(error))

    def _one(self, message: Message, overlay: Overlay, out: BatchOutbox, fold: _Fold) -> bool:
        """Processes one message; False if its topic was stopped before it. A poisoned one is undone alone."""
        overlay.mark()
        out.mark()
        try:
            self._processor.process(message, overlay, out)
        except (StoreError, LogError, TransientError):
            raise
        except (SourceStoppedError, UnknownVersionError) as stop:
            overlay.undo()
            out.undo()
            self._stop(message, str(stop))
            return False
        except RejectedError as rejected:
            overlay.undo()
            out.undo()
            fold.rejected[rejected.reason] += 1
            letter = dead_letter(message, self._processor.name, rejected.reason, rejected.detail)
            out.send(letter.topic, letter.key, letter.value, letter.headers)
        except Exception as error:
            overlay.undo()
            out.undo()
            fold.rejected["processor-error"] += 1
            # The text of an unforeseen error may hold personal values: only its type and place are kept.
            what, trace = "%s: %s could not be processed", trace_of(message.headers)
            log.exception(what, self._processor.name, message.ref, exc_info=_without_text(error), extra=trace)
            letter = dead_letter(message, self._processor.name, "processor-error", type(error).__name__)
            out.send(letter.topic, letter.key, letter.value, letter.headers)
        return True

    def _stop(self, message: Message, why: str) -> None:
        what, trace = "%s: stopped reading %s at %s: %s", trace_of(message.headers)
        log.error(what, self._processor.name, message.topic, message.ref, why, extra=trace)
        self.stopped[message.topic] = why
        self._session.pause(Inbox(message.topic, message.partition))

    # -- steps 3 and 6 --

    def _table_records(self, overlays: Mapping[Inbox, Overlay]) -> Iterator[Outgoing]:
        topic = table_topic(self._processor.name)
        for inbox, overlay in overlays.items():
            for key, value in overlay.writes.items():
                yield Outgoing(topic, key, value, (), inbox.partition)

    def _apply(self, fold: _Fold, ends: Mapping[Inbox, int], began_ms: int) -> None:
        topic = table_topic(self._processor.name)
        for inbox, overlay in fold.overlays.items():
            partition = self._partitions[inbox]
            if overlay.writes and partition.store:
                end = ends[Inbox(topic, inbox.partition)]
                partition.store.apply(overlay.writes, Sync(partition.topic_id, end, began_ms))

    def close(self) -> None:
        """Leaves the log and closes the stores. What was not committed is read again by whoever comes next."""
        self._session.close()
        for partition in self._partitions.values():
            self._release(partition)
        self._partitions.clear()


@dataclass
class _Fold:
    """The result of step 2."""

    overlays: dict[Inbox, Overlay] = field(default_factory=dict)
    offsets: dict[Inbox, int] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    folded: int = 0


def _by_partition(messages: Iterable[Message]) -> dict[Inbox, list[Message]]:
    groups: dict[Inbox, list[Message]] = {}
    for message in messages:
        groups.setdefault(Inbox(message.topic, message.partition), []).append(message)
    return groups


def _without_text(error: BaseException) -> BaseException:
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
