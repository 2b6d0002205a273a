"""The runtime of one processor instance: a batch at a time, each one transaction.

The commit protocol; each number is a crash point in the tests:

    1. begin
    2. send the offsets behind the batch to the transaction; nobody waits for the answer yet
    3. prefetch and fold, partition by partition: writes stay in the overlay, outputs in the outbox; outputs are produced
       whenever there are many, and one table record per dirty key once a partition is through
    4. produce the other outputs; send the offsets again if the fold stopped short of them
    5. commit
    6. write the overlay to the store, with the table offset it reflects

The disk is never ahead of the commit: a crash between 5 and 6 is caught up from the table topic at the next start. Offsets
go first because the broker's answer takes as long as a small fold (decision 0012).

A batch may be empty but for ticks: those go out in step 4, for partitions in which something is due (`due`).
"""

from __future__ import annotations

import logging
import math
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import attrgetter
from typing import NamedTuple

from schemas.messages import TICK, Tick
from schemas.topics import table_topic
from streams.engine.contract import (
    Message,
    Processor,
    Remembering,
    TransientError,
)
from streams.engine.dead_letter_log import DeadLetterLog
from streams.engine.folding import Fold, Folding
from streams.engine.holdings import Holdings
from streams.engine.log import NO_NOTES, AbortedError, Inbox, LogError, Session, UnavailableError, UnknownError
from streams.engine.outbox import BatchOutbox, Outgoing, Partitioner
from streams.engine.overlay import Backing, StoreError
from streams.engine.pace import Pace
from streams.engine.stops import NO_MEMORY, WHAT_TO_DO, Stops, SuspectError, Suspects, took_too_long
from streams.engine.store import Progress, Stores
from streams.engine.waits import Waits

log = logging.getLogger(__name__)

CrashPoint = Callable[[int], None]

LONGEST_PAUSE_SECONDS = 5.0


class Limits(NamedTuple):
    """Bounds of one batch. A transaction must end well inside its time-out (10 s)."""

    messages: int = 20_000
    bytes: int = 16 << 20
    outputs: int = 2_000  # so many are produced before the fold goes on, so that the log has work meanwhile
    fold_seconds: float = 2.0
    transaction_seconds: float = 1.5  # longer ones make the next batches smaller
    interval_seconds: float = 0.0  # from the beginning of a batch to that of the next, at least
    retry_seconds: float = 0.2  # first pause after a failed batch; doubled up to 5 s


@dataclass
class Counts:
    """What an instance has done since it started."""

    messages: int = 0
    batches: int = 0
    produced: int = 0
    retries: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    parked_tries: Counter[str] = field(default_factory=Counter)  # of parked messages: `done`, `failed`


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
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        """`at` is called before each numbered step, and once after the last. `rest` waits between two tries or batches."""
        self.counts = Counts()
        self.trouble = ""  # why no batch is done at the moment
        self._processor = processor
        self._memory = processor if isinstance(processor, Remembering) else None
        self._session = session
        self._stores = stores
        self._partitioners = partitioners or {}
        self._limits = limits
        self._at = at
        self._clock = clock
        self._wall_ms = wall_ms
        self._rest = rest
        self._letters = DeadLetterLog(processor.name, clock)
        self._stops = Stops()
        self._waits = Waits(processor.name, limits.retry_seconds, clock)
        self._pace = Pace(limits.messages, limits.transaction_seconds)
        self._holdings = Holdings(processor.name, session, stores, wall_ms)
        self._folding = Folding(
            processor,
            session,
            self._holdings,
            self._stops,
            self._waits,
            stateful=stores is not None,
            outputs=limits.outputs,
            seconds=limits.fold_seconds,
            clock=clock,
            wall_ms=wall_ms,
        )
        self._began = -math.inf  # the last batch, by the clock
        self._suspects = Suspects()
        self._left: list[Message] = []  # polled, not yet folded: the batch before took too long
        self._moved: set[Inbox] = set()  # went away during this poll; they may have come back in it
        self._failures = 0
        self._unsettled = False  # a batch failed, and the session does not stand at the committed offsets yet
        self._behind = False  # it may have been committed nevertheless
        session.listen(self)

    # -- partitions come and go (called from within session.poll) --

    def assigned(self, partitions: Iterable[Inbox]) -> None:
        for inbox in partitions:
            self._holdings.take(inbox)

    def revoked(self, partitions: Iterable[Inbox]) -> None:
        gone = set(partitions)
        self._moved |= gone
        self._left = [m for m in self._left if Inbox(m.topic, m.partition) not in gone]
        for inbox in gone:
            self._holdings.drop(inbox)
            self._waits.done(inbox)

    @property
    def partitions(self) -> tuple[Inbox, ...]:
        """Partitions that are ours, restored or not."""
        return tuple(self._holdings)

    @property
    def restoring(self) -> Mapping[Inbox, Progress]:
        """Partitions that are not read yet, and how far their stores are."""
        return self._holdings.restoring

    @property
    def stopped(self) -> Mapping[str, str]:
        """What is not read any more, a topic or `topic/partition`, and why."""
        return self._stops.why

    @property
    def waiting(self) -> Mapping[str, str]:
        """Partitions, as `topic/partition`, whose next message needs something that is away, and why."""
        return self._waits.why

    @property
    def parked(self) -> Mapping[Inbox, int]:
        """Messages of each partition that wait to be tried again; of those that are read."""
        return self._holdings.parked

    def rows(self, inbox: Inbox) -> Backing:
        """The committed rows of a partition that is not being restored. For reading, between two steps."""
        return self._holdings.backing(inbox)

    def _resume(self, inbox: Inbox) -> None:
        if inbox in self._stops:
            return
        self._session.resume(inbox)
        if self._memory:
            self._memory.recall(*inbox, self._session.note(inbox))

    # -- the loop --

    def step(self, timeout: float) -> int:
        """One batch, if there are messages. Returns how many messages were committed.

        A batch that fails is given back and done again by a later step, after a pause. Raises FencedError when another
        instance has this id, any other LogError that waiting does not mend, and BrokenStoreError when a store fails twice.
        """
        try:
            self._settle()
            self._letters.tell()
            self._holdings.advance(self._resume)
            self._go_on()
            messages = self._next(timeout)
            self.trouble = ""
            ticks = self._ticks()
            if not messages and not ticks:
                return 0
            done = self._attempt(messages, ticks)
        except (AbortedError, UnknownError, UnavailableError, TransientError, StoreError) as error:
            self._give_back(error)
            return 0
        self._failures = 0
        self.counts.messages += done
        self.counts.batches += 1
        return done

    def _go_on(self) -> None:
        """Partitions that have waited long enough are read again, from their committed offsets."""
        for inbox in self._waits.over():
            self._left = [m for m in self._left if Inbox(m.topic, m.partition) != inbox]
            self._resume(inbox)

    def _ticks(self) -> list[Outgoing]:
        """A tick for each partition in which something is due."""
        now_ms = self._wall_ms()
        value = TICK.encode(Tick(time=now_ms))
        due = self._holdings.due(now_ms, self._clock())
        return [Outgoing(i.topic, None, value, (), i.partition) for i in due if i not in self._stops]

    def _next(self, timeout: float) -> list[Message]:
        """The messages of the next batch; what is more than it may hold is left for the one after."""
        messages, self._left = self._left, []
        if not messages:
            self._keep_interval()
            messages = self._poll(0 if self.restoring else timeout)
            self._holdings.touch()
        if self._stops or self._waits:
            messages = self._readable(messages)
        count = min(self._suspects.cut(messages), self._pace.limit)
        sizes = list(accumulate([len(message.value or b"") for message in messages[:count]]))
        count = min(count, max(1, bisect_right(sizes, self._limits.bytes)))
        self._left = messages[count:]
        return messages[:count]

    def _readable(self, messages: list[Message]) -> list[Message]:
        """Those of what is read: what came of a stopped or waiting partition before its pause must not move its offset."""
        inboxes = {Inbox(m.topic, m.partition) for m in messages}
        stopped = {inbox for inbox in inboxes if inbox in self._stops or inbox in self._waits}
        for inbox in stopped:
            self._session.pause(inbox)
        return [m for m in messages if Inbox(m.topic, m.partition) not in stopped]

    def _keep_interval(self) -> None:
        """Lets messages gather: a transaction of three costs the brokers as much as one of thirty."""
        left = self._began + self._limits.interval_seconds - self._clock()
        if left > 0:
            self._rest(left)

    def _poll(self, timeout: float) -> list[Message]:
        """What the log has for us. What it gave before a partition went away is dropped: another may have done it since."""
        self._moved.clear()
        messages = self._session.poll(self._pace.limit, timeout)
        return [m for m in messages if Inbox(m.topic, m.partition) not in self._moved] if self._moved else messages

    def _give_back(self, error: Exception) -> None:
        """The batch did not happen, or nobody knows: forget it, and begin again from what is committed."""
        self._left = []
        self._unsettled = True
        self._behind |= isinstance(error, (UnknownError, StoreError))
        if isinstance(error, UnknownError):
            self._pace.failed()
        self.trouble = str(error)
        self.counts.retries += 1
        self._failures += 1
        pause = min(self._limits.retry_seconds * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
        log.warning("%s: nothing done, again in %.1f s: %s", self._processor.name, pause, error)
        try:
            self._settle()  # before the pause: an open transaction holds up every reader behind it
        except UnavailableError as away:
            log.warning("%s: %s", self._processor.name, away)
        self._rest(pause)

    def _settle(self) -> None:
        """After a batch that failed, brings the session back to what is committed."""
        if not self._unsettled:
            return
        self._session.abort()
        if self._behind:
            for inbox in self._holdings:
                self._session.pause(inbox)
            self._holdings.catch_up()
        self._session.rewind()
        self._unsettled = self._behind = False

    def _attempt(self, messages: list[Message], ticks: list[Outgoing]) -> int:
        """The batch. One that took more memory, or longer, than there is fails, and the next ones are smaller: down to a
        message alone, and if that fails again, its partition stops before it. Nothing of this makes a dead letter."""
        self._folding.last = Fold()
        try:
            return self._transact(messages, ticks)
        except SuspectError as suspect:
            self._suspect(suspect.message, suspect.why, alone=len(messages) == 1)
            raise AbortedError(str(suspect)) from suspect
        except MemoryError as error:
            if len(messages) == 1:
                self._suspect(messages[0], NO_MEMORY, alone=True)
            raise UnknownError("out of memory: smaller batches") from error  # perhaps after the commit
        except (AbortedError, UnknownError) as error:
            self._outlasted(messages, error)
            raise

    def _outlasted(self, messages: list[Message], error: LogError) -> None:
        """If the batch failed as it took longer than a transaction may: was that one message?"""
        longest, slowest = self._session.transaction_seconds, self._folding.last.slowest
        if self._clock() - self._began <= longest:
            return
        if slowest is not None and slowest[0] > longest / 2:
            self._suspect(slowest[1], took_too_long(slowest[0], longest), alone=len(messages) == 1)
        elif isinstance(error, AbortedError):
            self._pace.failed()  # as for an unknown result

    def _suspect(self, message: Message, why: str, *, alone: bool) -> None:
        if self._suspects.failed(message, alone=alone):
            self._folding.stop(message, f"it {why}, also in a batch of its own. {WHAT_TO_DO}", whole_topic=False)

    def _transact(self, messages: list[Message], ticks: list[Outgoing]) -> int:
        began, began_ms = self._clock(), self._wall_ms()
        self._began = began
        # What is not ours any more was revoked while it was being polled.
        groups = {inbox: group for inbox, group in _by_partition(messages).items() if inbox in self._holdings}
        read_to = {inbox: group[-1].offset + 1 for inbox, group in groups.items()}
        self._at(1)
        self._session.begin()
        self._at(2)
        notes = self._notes({inbox: group[0].offset for inbox, group in groups.items()})
        if read_to:
            self._session.send_offsets(read_to, notes)
        self._at(3)
        out = BatchOutbox(self._partitioners)
        fold = self._fold(groups, out)
        self._left[:0] = fold.left
        self._at(4)
        self._produce([*out.outgoing(), *ticks], fold)
        notes_now = self._notes(fold.offsets)
        if fold.offsets != read_to or notes_now != notes:
            self._session.send_offsets(fold.offsets, notes_now)
        self._at(5)
        ends = self._session.commit()
        if fold.folded:
            self._pace.took(fold.folded, self._clock() - began)
        self._at(6)
        self._apply(fold, ends, began_ms)
        self._holdings.ticked(ticks, fold.ticks, self._clock())
        self._at(7)
        self._suspects.done(messages)
        self.counts.produced += fold.produced
        self.counts.dead_letters.update(letter.reason for letter in fold.rejected)
        self._letters.committed(fold.rejected)
        self.counts.parked_tries.update(fold.parked_tries)
        return fold.folded

    def _notes(self, offsets: Mapping[Inbox, int]) -> Mapping[Inbox, str]:
        """What the processor remembers of each partition before an offset."""
        if not self._memory:
            return NO_NOTES
        return {inbox: note for inbox, offset in offsets.items() if (note := self._memory.remember(*inbox, offset))}

    def _fold(self, groups: Mapping[Inbox, list[Message]], out: BatchOutbox) -> Fold:
        return self._folding.fold(groups, out)

    # -- steps 4 and 6 --

    def _produce(self, outgoing: list[Outgoing], fold: Fold) -> None:
        self._session.produce(outgoing)
        fold.produced += len(outgoing)

    def _apply(self, fold: Fold, ends: Mapping[Inbox, int], began_ms: int) -> None:
        topic = table_topic(self._processor.name)
        for inbox, rows in fold.rows.items():
            self._holdings.apply(inbox, rows, ends[Inbox(topic, inbox.partition)], began_ms)

    def close(self) -> None:
        """Leaves the log and closes the stores. What was not committed is read again by whoever comes next."""
        self._letters.close()
        self._session.close()
        self._holdings.close()


def _by_partition(messages: Iterable[Message]) -> dict[Inbox, list[Message]]:
    groups: dict[Inbox, list[Message]] = {}
    for at, run in groupby(messages, attrgetter("topic", "partition")):
        groups.setdefault(Inbox(*at), []).extend(run)
    return groups
