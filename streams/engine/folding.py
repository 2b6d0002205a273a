"""Step 3 of the commit protocol: a batch is worked message by message; nothing of it is seen before the commit."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from schemas.messages import TICK, Tick, UnknownVersionError
from streams.engine.contract import (
    DamagedStoreError,
    Message,
    Processor,
    RejectedError,
    SourceStoppedError,
    TransientError,
)
from streams.engine.dead_letter_log import DeadLetterLog, Kept
from streams.engine.dead_letters import LARGEST_BYTES, bytes_of, dead_letter
from streams.engine.holdings import Holdings
from streams.engine.log import Inbox, LogError, Session
from streams.engine.outbox import BatchOutbox
from streams.engine.overlay import Overlay, StoreError
from streams.engine.parked import park
from streams.engine.retrying import Retrying
from streams.engine.stops import NO_MEMORY, Stops, SuspectError, partition_of, took_too_long
from streams.engine.trace import trace_of
from streams.engine.unforeseen import without_text
from streams.engine.waits import Waits

log = logging.getLogger(__name__)


@dataclass
class Fold:
    """The result of step 3."""

    rows: dict[Inbox, Mapping[bytes, bytes | None]] = field(default_factory=dict)  # written, as they are stored
    offsets: dict[Inbox, int] = field(default_factory=dict)  # of every partition of the batch: the next to consume
    left: list[Message] = field(default_factory=list)  # not folded, as it took too long
    rejected: list[Kept] = field(default_factory=list)
    parked_tries: Counter[str] = field(default_factory=Counter)
    ticks: dict[Inbox, int] = field(default_factory=dict)  # the latest time of the ticks of a partition
    slowest: tuple[float, Message] | None = None  # seconds, message; where a transaction has a time-out
    retrying_seconds: float = 0.0
    folded: int = 0
    produced: int = 0


class Pass(NamedTuple):
    """One partition's part of a batch."""

    overlay: Overlay
    out: BatchOutbox
    fold: Fold
    deadline: float

    def mark(self) -> None:
        self.overlay.mark()
        self.out.mark()

    def undo(self) -> None:
        self.overlay.undo()
        self.out.undo()


class Folding:
    """Works the messages of one processor instance."""

    def __init__(
        self,
        processor: Processor,
        session: Session,
        holdings: Holdings,
        stops: Stops,
        waits: Waits,
        *,
        stateful: bool,
        outputs: int,
        seconds: float,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        """`outputs`: so many are produced before it goes on. `seconds`: after so long the rest is left for the next."""
        self._processor = processor
        self._session = session
        self._holdings = holdings
        self._stops = stops
        self._waits = waits
        self._stateful = stateful
        self._outputs = outputs
        self._seconds = seconds
        self._clock = clock
        self._wall_ms = wall_ms
        self._longest_seconds = session.transaction_seconds
        self._retrying = Retrying(processor, self._longest_seconds, clock)
        self.last = Fold()  # the newest, also if it did not come to its end

    def fold(self, groups: Mapping[Inbox, list[Message]], out: BatchOutbox) -> Fold:
        """Raises StoreError, LogError, TransientError, SuspectError, MemoryError: the batch is given back."""
        fold = self.last = Fold()
        deadline = self._clock() + self._seconds
        for inbox, group in groups.items():
            overlay = Overlay(self._holdings.backing(inbox))
            try:
                self._partition(inbox, group, Pass(overlay, out, fold, deadline))
            except StoreError:
                self._holdings.failed(inbox)
                raise
            self._holdings.mark(inbox, overlay)
            if overlay.writes:
                rows = fold.rows[inbox] = overlay.stored(self._holdings.split(inbox))
                self._session.produce_rows(inbox.partition, rows)
                fold.produced += len(rows)
        return fold

    def _partition(self, inbox: Inbox, group: list[Message], work: Pass) -> None:
        done, fold = 0, work.fold
        if inbox in self._stops:
            self._session.pause(inbox)
        else:
            began = self._clock()
            self._prepare(group, work.overlay)
            for message in group:
                now = self._clock()
                if now > work.deadline and (done or fold.folded):
                    fold.left += group[done:]
                    break
                if not self._one(message, work):
                    break
                if not done:
                    self._waits.done(inbox)
                if self._longest_seconds < math.inf:
                    self._timed(message, now if len(group) > 1 else began, fold)
                done += 1
                if work.out.waiting >= self._outputs:
                    self.produce(work)
        fold.offsets[inbox] = group[done - 1].offset + 1 if done else group[0].offset
        fold.folded += done

    def produce(self, work: Pass) -> None:
        outgoing = work.out.take()
        self._session.produce(outgoing)
        work.fold.produced += len(outgoing)

    def _timed(self, message: Message, began: float, fold: Fold) -> None:
        """A message was processed. Raises SuspectError if it took so long that its transaction is over."""
        seconds, fold.retrying_seconds = self._clock() - began - fold.retrying_seconds, 0.0
        if seconds > self._longest_seconds:
            raise SuspectError(message, took_too_long(seconds, self._longest_seconds))
        if fold.slowest is None or seconds > fold.slowest[0]:
            fold.slowest = seconds, message

    def _prepare(self, group: list[Message], overlay: Overlay) -> None:
        """Lets the processor look ahead. If that fails for some message, `process` will meet it, and reject it alone."""
        try:
            self._processor.prepare(group, overlay)
        except (StoreError, LogError, TransientError, MemoryError):
            raise
        except Exception as error:
            log.exception("%s: could not prepare a batch", self._processor.name, exc_info=without_text(error))

    def _one(self, message: Message, work: Pass) -> bool:
        """Processes one message; False if its partition stopped before it, or waits. A poisoned one is undone alone."""
        tick = self._tick(message) if message.key is None else None
        if tick is not None:
            self._try_parked(message, tick, work)
            if tick.parked:
                return True
        work.mark()
        try:
            self._processor.process(message, work.overlay, work.out)
        except TransientError as away:
            if self._stateful:
                raise
            work.undo()
            self._waits.begin(message, str(away))
            self._session.pause(Inbox(message.topic, message.partition))
            return False
        except (StoreError, LogError):
            raise
        except MemoryError as error:
            raise SuspectError(message, NO_MEMORY) from error
        except (SourceStoppedError, UnknownVersionError) as stop:
            work.undo()
            self.stop(message, str(stop), whole_topic=isinstance(stop, SourceStoppedError) or not self._stateful)
            return False
        except RejectedError as rejected:
            work.undo()
            return self._keep(message, rejected.reason, rejected.detail, work)
        except Exception as error:
            if isinstance(error, DamagedStoreError) and not self._holdings.was_rebuilt(
                Inbox(message.topic, message.partition)
            ):
                raise StoreError("rows of the store contradict each other") from error
            work.undo()
            # The text of an unforeseen error may hold personal values: only its type and place are kept.
            what, trace = "%s: %s could not be processed", trace_of(message.headers)
            log.exception(what, self._processor.name, message.ref, exc_info=without_text(error), extra=trace)
            return self._keep(message, "processor-error", type(error).__name__, work)
        return work.out.refused is None or self._keep_beside(message, *work.out.refused, work)

    def _keep_beside(self, message: Message, reason: str, detail: str, work: Pass) -> bool:
        """Keeps a message of which only a part was refused; what the rest led to stays, unless its topic is stopped."""
        if self._keep(message, reason, detail, work, whole=False):
            return True
        work.undo()
        return False

    def _keep(self, message: Message, reason: str, detail: str, work: Pass, *, whole: bool = True) -> bool:
        """Keeps a message as a dead letter; one too large for that stops what it is in before it, as it may not be lost.

        One from inside the pipeline is parked as well, as its sender will not send it again. A tick is not: the next does
        the same.
        """
        letter = dead_letter(message, self._processor.name, reason, detail)
        size = bytes_of(letter)
        if size > LARGEST_BYTES:
            self.stop(
                message,
                f"{reason}: {detail}; with {size:,} bytes it is too large to be kept as a dead letter ({LARGEST_BYTES:,})."
                " Keep it elsewhere, move the group's committed offset past it, then start again",
                whole_topic=not self._stateful,
            )
            return False
        work.fold.rejected.append(DeadLetterLog.kept(message, reason, detail))
        work.out.keep(letter)
        if whole and self._stateful and (message.key is not None or self._tick(message) is None):
            park(work.overlay, message, reason, self._wall_ms())
        return True

    def stop(self, message: Message, why: str, *, whole_topic: bool) -> None:
        """The partition of a message, or its topic, is not read any more: from this message on."""
        inbox = Inbox(message.topic, message.partition)
        place = inbox.topic if whole_topic else partition_of(inbox)
        what, trace = "%s: stopped reading %s at %s: %s", trace_of(message.headers)
        log.error(what, self._processor.name, place, message.ref, why, extra=trace)
        self._stops.why[place] = f"at {message.ref}: {why}"
        self._session.pause(inbox)

    def _tick(self, message: Message) -> Tick | None:
        """The tick that a message without a key may be; only processors with a store get them."""
        if not self._stateful or message.value is None:
            return None
        try:
            return TICK.decode(message.value)
        except (msgspec.DecodeError, UnknownVersionError):
            return None

    def _try_parked(self, message: Message, tick: Tick, work: Pass) -> None:
        inbox, began = Inbox(message.topic, message.partition), self._clock()
        work.fold.ticks[inbox] = max(tick.time, work.fold.ticks.get(inbox, 0))
        work.fold.parked_tries += self._retrying.run(message, tick, work.overlay, work.out, work.deadline)
        work.fold.retrying_seconds = self._clock() - began
