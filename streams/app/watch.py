"""Watches one processor instance, from its own thread: the engine's numbered steps give the times, its counts the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

from streams.app.census import census
from streams.app.figures import Distribution, Figures, Sample
from streams.engine import metrics
from streams.engine.contract import Message, Processor, Store
from streams.engine.log import Inbox
from streams.engine.overlay import Overlay, StoreError
from streams.engine.runtime import Worker
from streams.intake import Intake

STEPS = {1: "begin", 2: "offsets", 3: "fold", 4: "produce", 5: "commit", 6: "apply"}
"""Names of the commit protocol's steps (streams/engine/runtime.py)."""

COMMITTED = 6
"""The step that follows the commit."""

PUBLISH_SECONDS = 1.0
"""How old the figures others see may be while the processor runs."""

ONE_IN = 50
MOST_SAMPLED = 8
"""Changes read for their event time, of each batch: reading one costs as much as notifying it."""

NOTHING: Mapping[str, Any] = MappingProxyType({})

EventTime = Callable[[bytes], int | None]
"""The source event time of an encoded change, ms; None for what cannot be read: that is the processor's matter."""


class Snapshot(NamedTuple):
    """What a processor instance was like at one moment. Safe to read from any thread."""

    at: float  # monotonic seconds
    samples: tuple[Sample, ...] = ()
    partitions: tuple[Inbox, ...] = ()
    restoring: tuple[Inbox, ...] = ()
    stopped: tuple[tuple[str, str], ...] = ()  # topic or topic/partition that is not read, and why
    trouble: str = ""  # why no batch is done at the moment
    absent: tuple[tuple[str, str], ...] = ()  # source topic, a path that no event of it has lately
    polled: bool = False  # false until the first poll has returned


class Watch:
    """One processor instance's figures. Everything but `snapshot` belongs to the processor's thread."""

    def __init__(
        self,
        processor: str,
        event_time: EventTime | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """`event_time`: given for the processor that notifies."""
        self.processor = processor
        self.started = clock()
        self.snapshot = Snapshot(self.started)
        self._figures = Figures()
        self._event_time = event_time
        self._clock = clock
        self._wall_ms = wall_ms
        self._since = 0.0  # when the current step began
        self._batch: list[_Seen] = []
        self._intake: Intake | None = None

    # -- during a batch --

    def at(self, step: int) -> None:
        """The runtime's hook: called before each numbered step, and once after the last."""
        now = self._clock()
        if step == 1:
            self._batch.clear()
        else:
            self._figures.observe(metrics.STEP_SECONDS, (self.processor, STEPS[step - 1]), now - self._since)
        if step == COMMITTED:
            self._committed()
        self._since = now

    def around(self, processor: Processor) -> Processor:
        """The processor, with this watch looking at each of its batches."""
        self._intake = processor if isinstance(processor, Intake) else None
        return _Watched(processor, self)

    def look(self, batch: Sequence[Message]) -> None:
        """What is kept of a partition's messages until they are committed."""
        times = tuple(self._event_times(batch, self._event_time)) if self._event_time else ()
        self._batch.append(_Seen(batch[0].partition, len(batch), batch[0].timestamp, times))

    @staticmethod
    def _event_times(batch: Sequence[Message], event_time: EventTime) -> Iterator[int]:
        """Of a few messages, evenly spaced."""
        count = min(1 + len(batch) // ONE_IN, MOST_SAMPLED)
        for number in range(count):
            value = batch[(2 * number + 1) * len(batch) // (2 * count)].value
            found = None if value is None else event_time(value)
            if found is not None:
                yield found

    def _committed(self) -> None:
        now = self._wall_ms()
        label = (self.processor,)
        self._figures.observe(metrics.BATCH_MESSAGES, label, sum(seen.messages for seen in self._batch))
        for seen in self._batch:
            self._figures.observe(metrics.HOP_SECONDS, label, max(0.0, now - seen.oldest) / 1000)
            for event_time in seen.event_times:
                self._figures.observe(metrics.NOTIFICATION_SECONDS, label, max(0.0, now - event_time) / 1000)
        self._batch.clear()

    # -- before the first step of the runtime --

    def waits(self, why: str) -> None:
        """The processor cannot begin yet: it is alive, not ready, and this is why."""
        self.snapshot = Snapshot(self._clock(), trouble=why)

    # -- after a step of the runtime --

    def publish(
        self,
        worker: Worker,
        lags: Callable[[], Mapping[Inbox, int]],
        unread: Callable[[], Mapping[str, str]] = lambda: NOTHING,
        read_again: Callable[[], Mapping[str, int]] = lambda: NOTHING,
        *,
        now: bool = False,
    ) -> None:
        """Tells others how things stand; does nothing if it has done so just now.

        The session says its lags, the topics that it cannot read, and those it began anew. It asks nobody: it must be quick.
        """
        at = self._clock()
        if self.snapshot.polled and at - self.snapshot.at < PUBLISH_SECONDS and not now:
            return
        stopped = {**unread(), **worker.waiting, **worker.stopped}
        self._count(worker)
        self._topics(stopped, read_again())
        self._partitions(worker, lags())
        absent = self._absent()
        self.snapshot = Snapshot(
            at,
            self._figures.samples(),
            tuple(worker.partitions),
            tuple(worker.restoring),
            tuple(stopped.items()),
            worker.trouble,
            absent,
            polled=True,
        )

    def _absent(self) -> tuple[tuple[str, str], ...]:
        """What the sources' events lack."""
        if self._intake is None:
            return ()
        absent = tuple(sorted(self._intake.absent))
        self._figures.forget(metrics.ABSENT_PATHS)
        for place in absent:
            self._figures.set(metrics.ABSENT_PATHS, place, 1)
        for topic, count in self._intake.unmapped.items():
            self._figures.set(metrics.UNMAPPED, (topic,), count)
        for place, count in self._intake.unread.items():
            self._figures.set(metrics.UNREAD, place, count)
        return absent

    def _count(self, worker: Worker) -> None:
        counts, put, name = worker.counts, self._figures.set, self.processor
        put(metrics.MESSAGES, (name,), counts.messages)
        put(metrics.BATCHES, (name,), counts.batches)
        put(metrics.PRODUCED, (name,), counts.produced)
        put(metrics.RETRIES, (name,), counts.retries)
        put(metrics.PARTITIONS, (name,), len(worker.partitions))
        for reason, count in counts.dead_letters.items():
            put(metrics.DEAD_LETTERS, (name, reason), count)
        for reason, count in counts.parked_tries.items():
            put(metrics.PARKED_TRIES, (name, reason), count)

    def _topics(self, stopped: Iterable[str], read_again: Mapping[str, int]) -> None:
        self._figures.forget(metrics.STOPPED_SOURCES)
        for place in stopped:
            topic, _, partition = place.partition("/")
            self._figures.set(metrics.STOPPED_SOURCES, (self.processor, topic, partition), 1)
        for topic, times in read_again.items():
            self._figures.set(metrics.READ_AGAIN, (self.processor, topic), times)

    def _partitions(self, worker: Worker, lags: Mapping[Inbox, int]) -> None:
        """What is told by partition; nothing of those that have gone to another instance."""
        name, put = self.processor, self._figures.set
        self._figures.forget(metrics.LAG, metrics.RESTORED, metrics.RESTORE_LEFT, metrics.PARKED, *metrics.OF_THE_STATE)
        restoring, parked = worker.restoring, worker.parked
        for inbox in worker.partitions:
            place = (name, inbox.topic, str(inbox.partition))
            if inbox in restoring:
                done, total = restoring[inbox]
                put(metrics.RESTORED, place, done / total if total else 0.0)
                if total:  # else it waits for its turn
                    put(metrics.RESTORE_LEFT, place, total - done)
                continue
            put(metrics.RESTORED, place, 1.0)
            if inbox in parked:
                put(metrics.PARKED, (name, str(inbox.partition)), parked[inbox])
            if inbox in lags:
                put(metrics.LAG, place, lags[inbox])
            with suppress(StoreError):  # the worker meets it too, and has the store rebuilt
                for metric, labels, value in census(name, inbox.partition, Overlay(worker.rows(inbox))):
                    assert not isinstance(value, Distribution)
                    put(metric, labels, value)


class _Seen(NamedTuple):
    """One partition's part of a batch that is not committed yet."""

    partition: int
    messages: int
    oldest: int  # ms; of the first message, as an inbox is nearly in order of time
    event_times: tuple[int, ...]  # ms, of a few


class _Watched:
    """A processor with somebody looking over its shoulder."""

    def __init__(self, processor: Processor, watch: Watch) -> None:
        self.name = processor.name
        self.process = processor.process  # for every message: without a call in between
        self._prepare = processor.prepare
        self._watch = watch

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        self._watch.look(batch)
        self._prepare(batch, store)
