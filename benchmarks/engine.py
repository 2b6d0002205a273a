"""Workload 1: the same keyed merge by our engine and by its peers, one after another on one broker, in turns.

Time runs from the moment the broker reports the contender's group stable (its partitions are assigned; or from its first
output, should that be seen earlier) to the moment the group's committed offsets reach the end of the preloaded input: then
the outputs of the last event are committed too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from benchmarks.cluster import Cluster, Committed
from benchmarks.contender import Contender
from benchmarks.events import events, expected
from benchmarks.paths import own_folder
from benchmarks.processes import Measured, Usage, usage_of
from benchmarks.sending import send
from benchmarks.task import Task
from benchmarks.verify import what_is_wrong

START_SECONDS = 120.0
STALLED_SECONDS = 90.0
"""No progress for so long: the contender has failed. Quix commits every 5 s."""

LOOK_EVERY = 0.05
SOURCE_SETTINGS = {"retention.ms": "-1"}

Progress = Callable[[str, int, int], None]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one contender."""

    contender: str
    events: int
    seconds: float
    cpu_seconds: float  # of its process, from start to end
    broker_cpu_seconds: float | None  # while it ran; None if the broker is not ours
    peak_mb: float
    wrong: str  # why the figure is void; empty if the work was done

    @property
    def rate(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0


class Watched(NamedTuple):
    """What was seen of a run while it went on. Times are of the clock that the broker stamps messages with."""

    began: float
    ended: float
    usage: Usage
    broker_cpu_seconds: float | None


class Outputs:
    """Key and value of every output, and once they were read, when the first was appended."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._messages = messages
        self.first = math.inf  # seconds since the epoch

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for message in self._messages:
            self.first = min(self.first, message.timestamp()[1] / 1000)
            yield _bytes(message.key()), _bytes(message.value())


class FailedError(Exception):
    """A contender did not get through its work."""


class EngineWorkload:
    """The input on the broker, and runs over it."""

    def __init__(self, cluster: Cluster, number: int, progress: Progress) -> None:
        self._cluster = cluster
        self._number = number
        self._progress = progress
        self._loaded: set[str] = set()

    def run(self, contender: Contender, serial: int) -> Run:
        number = min(self._number, contender.most_events or self._number)
        prefix = f"bench-{contender.name}-{serial}."
        with own_folder(contender.name) as folder:
            task = Task(
                brokers=self._cluster.brokers,
                prefix=prefix,
                source=self._source(number),
                output=f"{prefix}out",
                group=f"{prefix}merge",
                folder=str(folder / "stores"),
            )
            command = contender.command(task)
            self._prepare(task)
            try:
                return self._measure(contender, task, command, folder / "log", number)
            finally:
                self._cluster.delete(prefix)

    def _prepare(self, task: Task) -> None:
        task.path.mkdir()
        self._cluster.create([task.output], {"message.timestamp.type": "LogAppendTime"})
        # Kafka's clients make no topics here; the peers make their own changelogs.
        self._cluster.create([f"{task.prefix}merge-table"], {"cleanup.policy": "compact"})
        self._cluster.create([f"{task.prefix}dead-letters"])

    def _measure(self, contender: Contender, task: Task, command: list[str], log: Path, number: int) -> Run:
        self._cluster.stable(task.group)  # finds the way to the group's coordinator, which may take a second
        with Measured(command, log) as process:
            try:
                watched = self._watch(contender, task, process)
            except FailedError as failure:
                return _void(contender, number, process.usage(), f"{failure}: {process.last_lines()}")
            process.stop()
        outputs = Outputs(self._cluster.read_all(task.output))
        wrong = self._check(contender, task, number, outputs)
        began = min(watched.began, outputs.first)
        return Run(
            contender=contender.name,
            events=number,
            seconds=watched.ended - began,
            cpu_seconds=watched.usage.cpu_seconds,
            broker_cpu_seconds=watched.broker_cpu_seconds,
            peak_mb=watched.usage.peak_mb,
            wrong=wrong,
        )

    def _watch(self, contender: Contender, task: Task, process: Measured) -> Watched:
        start_by = time.monotonic() + START_SECONDS
        while not self._cluster.stable(task.group, contender.members):
            self._go_on(process, start_by, "was not assigned its partitions")
        began = time.time()
        broker_before = self._broker_cpu()
        with self._cluster.reader(task.group) as asker:
            committed = Committed(self._cluster, asker, [task.source])
            done, give_up = 0, time.monotonic() + STALLED_SECONDS
            while (now := committed.done()) < committed.total:
                if now > done:
                    done, give_up = now, time.monotonic() + STALLED_SECONDS
                    self._progress(contender.title, done, committed.total)
                self._go_on(process, give_up, f"stalled at {done:,} events")
            ended = time.time()
        broker = self._broker_cpu()
        spent = None if broker is None or broker_before is None else broker - broker_before
        return Watched(began, ended, process.usage(), spent)

    def _go_on(self, process: Measured, deadline: float, failure: str) -> None:
        if process.ended(LOOK_EVERY):
            raise FailedError(f"ended with code {process.exit_code}")
        if time.monotonic() > deadline:
            raise FailedError(failure)

    def _broker_cpu(self) -> float | None:
        return usage_of(self._cluster.pid).cpu_seconds if self._cluster.pid else None

    def _check(self, contender: Contender, task: Task, number: int, outputs: Outputs) -> str:
        if contender.changelog is None:
            forwarded = sum(1 for _ in outputs)
            return "" if forwarded == number else f"{forwarded} outputs instead of {number}"
        wanted = expected(number)
        if wrong := what_is_wrong(outputs, wanted):
            return wrong
        changelog = self._cluster.topics(contender.changelog(task))
        kept = sum(self._cluster.ends(changelog).values()) if changelog else 0
        return "" if kept >= len(wanted) else f"only {kept} changelog records for {len(wanted)} keys"

    def _source(self, number: int) -> str:
        """The topic with `number` events, loaded at first need."""
        topic = f"source-{number}"
        if topic not in self._loaded:
            self._cluster.create([topic], SOURCE_SETTINGS)
            self._load(topic, number)
            self._loaded.add(topic)
        return topic

    def _load(self, topic: str, number: int) -> None:
        producer = self._cluster.producer()
        for done, event in enumerate(events(number), start=1):
            send(producer, topic, event.value, event.key)
            if done % 10_000 == 0:
                producer.poll(0)
                self._progress("loading the input", done, number)
        if producer.flush(60):
            raise FailedError("the input could not be loaded: is the broker well?")


def in_turns(contenders: Sequence[Contender], runs: int) -> list[Contender]:
    """Each contender once a round, each round begun by another: what changes with time or the one before meets all alike."""
    rounds = ((*contenders[first % len(contenders) :], *contenders[: first % len(contenders)]) for first in range(runs))
    return [contender for turn in rounds for contender in turn]


def _void(contender: Contender, number: int, usage: Usage, why: str) -> Run:
    return Run(
        contender=contender.name,
        events=number,
        seconds=0.0,
        cpu_seconds=usage.cpu_seconds,
        broker_cpu_seconds=None,
        peak_mb=usage.peak_mb,
        wrong=why,
    )


def _bytes(value: bytes | str | None) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode()
