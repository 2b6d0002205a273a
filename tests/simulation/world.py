"""The simulation: processes over one broker, a seed that decides everything, faults until calm, then rest.

weather.py    which faults, how often        actors.py     one thread at a time, in any order
process.py    a worker process               disk.py       its stores
broker.py     topics, transactions           groups.py     who holds which partition
session.py    the engine's end of the log    pipelines     counting.py, unified.py: what runs, and what must come out
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from schemas.messages import TICK, Tick
from schemas.topics import TopicSpec
from streams.engine.contract import Processor, TransientError
from streams.engine.log import Inbox
from streams.engine.outbox import Outgoing, Partitioner
from streams.engine.store import Sync
from tests.simulation.broker import Broker
from tests.simulation.disk import Disk, Files
from tests.simulation.groups import Group
from tests.simulation.process import Process
from tests.simulation.weather import Weather

START_MS = 1_700_000_000_000
DAY_MS = 24 * 3_600_000
STORM_TURNS = 350
MOST_TURNS = 12_000


class Stage(NamedTuple):
    """One processor of a pipeline."""

    name: str
    inbox: str
    processor: Callable[[Callable[[], None]], Processor]  # given what to call with each message: it may raise
    instances: int
    stateful: bool = True


class Pipeline(NamedTuple):
    """What runs."""

    topics: Sequence[TopicSpec]
    stages: Sequence[Stage]
    input: Sequence[Outgoing]
    partitioners: dict[str, Partitioner]


class Slot:
    """One configured instance of a processor: its id stays, its processes come and go."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.id = f"{stage.name}-{number}"
        self.disk = Disk()
        self.processes: list[Process] = []
        self.backups: list[dict[int, Files]] = []
        self.started = 0
        self.start_at = 0
        self.old_machine = False  # its next process finds the oldest copy of its disk


class World:
    """One run of one pipeline under one seed."""

    def __init__(self, pipeline: Pipeline, seed: int, *, faults: bool = True) -> None:
        self.random = Random(seed)
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self.broker = Broker(self.random, self.happened)
        self.broker.create(pipeline.topics)
        self.weather = Weather(self.random)
        self.weather.calm = not faults
        self.turn = 0
        self.stores: dict[Inbox, dict[bytes, bytes]] = {}  # by stage and partition: what its holder has, once at rest
        self._pipeline = pipeline
        self._days = 0
        self._short = 0  # messages that memory is still too short for
        self._storm = STORM_TURNS if faults else 0
        self._fed = 0
        self.groups = {stage.name: self._group(stage) for stage in pipeline.stages}
        self.slots = [Slot(stage, number) for stage in pipeline.stages for number in range(stage.instances)]

    def _group(self, stage: Stage) -> Group:
        inboxes = [Inbox(stage.inbox, partition.number) for partition in self.broker.partitions(stage.inbox)]
        return Group(stage.name, inboxes, self.random, self.happened)

    def happened(self, what: str, who: str = "", detail: str = "") -> None:
        """`what` is counted over all seeds; all of it is in the trace."""
        self.counts[what] += 1
        self.trace.append(f"{self.broker.now:>6} ms  {who:<14} {what} {detail}".rstrip())

    def wall_ms(self) -> int:
        return START_MS + self.broker.now + self._days * DAY_MS

    # -- the run --

    def run(self) -> None:
        """Until everything is consumed and still. Raises whatever a process could not cope with."""
        try:
            self._until_rest()
            self._days += 3
            self.happened("all that waits for its time is due")
            self._until_rest()
            for stage in [stage for stage in self._pipeline.stages if stage.stateful]:
                for inbox in self.groups[stage.name].inboxes:
                    self.stores[Inbox(stage.name, inbox.partition)] = self._rows(stage.name, inbox)
        finally:
            for slot in self.slots:
                for process in slot.processes:
                    process.actor.kill()

    def _until_rest(self) -> None:
        last = self.turn + MOST_TURNS
        self._one_turn()
        while self.turn < self._storm or not self._at_rest():
            self._one_turn()
            if self.turn > last:
                raise AssertionError("the pipeline does not come to rest")

    def _one_turn(self) -> None:
        self.turn += 1
        self.broker.now += self.random.choice((1, 2, 5, 10, 20))
        if self.turn == self._storm:
            self.weather.calm = True
            self.happened("calm")
        self._feed()
        self.broker.tick()
        for group in self.groups.values():
            group.tick(self.broker.now)
        self._strike()
        for slot in self.slots:
            self._supervise(slot)
        ready = [process for slot in self.slots for process in slot.processes if process.may_run()]
        if ready:
            process = self.random.choice(ready)
            process.actor.run()
            if process.actor.error:
                raise process.actor.error

    def _feed(self) -> None:
        """The input arrives during the storm."""
        total = len(self._pipeline.input)
        due = total if self.turn >= self._storm else total * self.turn // self._storm
        for item in self._pipeline.input[self._fed : due]:
            self.broker.append(item, self.wall_ms())
        self._fed = due

    def _at_rest(self) -> bool:
        if self.turn % 20 or not self.broker.quiet or any(slot.start_at for slot in self.slots):
            return False
        for stage in self._pipeline.stages:
            group = self.groups[stage.name]
            for inbox in group.inboxes:
                left, _ = self.broker.partition(inbox).read(self.broker.offset(stage.name, inbox), 1)
                if left or self._process_of(stage.name, inbox) is None:
                    return False
        return not self._restoring() and not self._due() and all(p.idle for slot in self.slots for p in slot.processes)

    def _due(self) -> bool:
        """Whether a tick is to be written."""
        workers = [p.worker for slot in self.slots for p in slot.processes if p.worker]
        return any(worker._holdings.due(self.wall_ms(), math.inf) for worker in workers)

    def _process_of(self, stage: str, inbox: Inbox) -> Process | None:
        holder = self.groups[stage].holder(inbox)
        processes = (process for slot in self.slots for process in slot.processes)
        return next((p for p in processes if p.session and p.session.member is holder and p.session.owns(inbox)), None)

    def _rows(self, stage: str, inbox: Inbox) -> dict[bytes, bytes]:
        process = self._process_of(stage, inbox)
        assert process is not None
        return process.disk.rows(inbox.partition)

    # -- processes come and go --

    def _start(self, slot: Slot, disk: Disk) -> None:
        slot.started += 1
        slot.disk = disk
        stage = slot.stage
        name = f"{slot.id}.{slot.started}"
        process = Process(
            self,
            name,
            self.groups[stage.name],
            slot.id,
            disk,
            stage.stateful,
            lambda: stage.processor(self._outside),
            self._pipeline.partitioners,
        )
        slot.processes.append(process)
        self.happened("start", name)

    def _outside(self) -> None:
        """Called with each message: something a processor needs may be away."""
        if self.weather.strikes("outside away"):
            self.happened("something outside away")
            raise TransientError("away")
        if not self._short and self.weather.strikes("out of memory"):
            self._short = self.random.choice((1, 1, 4))
        if self._short:
            self._short -= 1
            self.happened("out of memory")
            raise MemoryError

    def _supervise(self, slot: Slot) -> None:
        for process in [p for p in slot.processes if not p.actor.alive]:
            slot.processes.remove(process)
            if process.ended != "stopped":
                process.gone()
                if process.disk.crash(self.random, lose=self.weather.strikes("newest lost")):
                    self.happened("newest writes of the disk lost", process.name)
            self.happened(f"end: {process.ended}", process.name)
        if slot.processes:
            return
        if not slot.start_at:
            slot.start_at = self.broker.now + 1 + self._absence() * (slot.started > 0)
        elif self.broker.now >= slot.start_at:
            slot.start_at = 0
            if slot.started:
                self._touch(slot)
            self._start(slot, slot.disk)

    def _absence(self) -> int:
        return self.random.randrange(1_500 if self.weather.strikes("long absence") else 300)

    # -- faults that strike from outside --

    def _touch(self, slot: Slot) -> None:
        """What may have happened to a disk while its process was down."""
        disk = slot.disk
        if slot.old_machine:
            slot.old_machine = False
            disk.replace(slot.backups[0])
            self.happened("store replaced by the oldest copy", slot.id)
        elif self.weather.strikes("wiped store"):
            disk.replace({})
            self.happened("store wiped", slot.id)
        elif slot.backups and self.weather.strikes("stale store"):
            disk.replace(self.random.choice(slot.backups))
            self.happened("store replaced by an older copy", slot.id)
        elif self.weather.strikes("store ahead"):
            if disk.spoil(lambda sync: Sync(sync.topic_id, sync.offset + 100_000, sync.timestamp)):
                self.happened("store ahead of its topic", slot.id)
        elif self.weather.strikes("foreign store") and disk.spoil(
            lambda sync: Sync("another topic's id", sync.offset, sync.timestamp)
        ):
            self.happened("store of another topic", slot.id)

    def _strike(self) -> None:
        weather, slot = self.weather, self.random.choice(self.slots)
        if slot.processes and weather.strikes("double"):
            self.happened("second process with the same id", slot.id)
            self._start(slot, Disk())
        if slot.processes and weather.strikes("restart"):
            self.happened("told to stop", slot.processes[-1].name)
            slot.processes[-1].stopping = True
        if weather.strikes("operator"):
            self._ask_for_everything()
        if weather.strikes("backup"):
            slot.backups.append(slot.disk.copy())
        if weather.strikes("compaction"):
            self._tidy()
        if weather.strikes("days pass") and not self._catching_up():
            self._days += self.random.choice((2, 5, 9, 9))
            self.happened("days pass")
            self._tidy()
            old = [slot for slot in self.slots if slot.backups and weather.strikes("old machine")]
            for slot in old:
                slot.old_machine = True
                for process in slot.processes:
                    process.stopping = True

    def _ask_for_everything(self) -> None:
        self.happened("an operator asks for everything now")
        value = TICK.encode(Tick(time=self.wall_ms(), everything=True))
        for stage in self._pipeline.stages:
            for inbox in self.groups[stage.name].inboxes if stage.stateful else ():
                self.broker.append(Outgoing(inbox.topic, None, value, (), inbox.partition), self.wall_ms())

    def _restoring(self) -> bool:
        return any(p.worker is None or p.worker.restoring for slot in self.slots for p in slot.processes)

    def _catching_up(self) -> bool:
        """Whether a store reads its table just now: no restore takes days."""
        return any(p.session and p.session.catching_up for slot in self.slots for p in slot.processes)

    def _tidy(self) -> None:
        """Compaction, and purging of what was consumed."""
        if self.broker.compact(self.wall_ms()):
            self.happened("compaction")
        for stage in self._pipeline.stages:
            for inbox in self.groups[stage.name].inboxes:
                partition = self.broker.partition(inbox)
                partition.purge(min(self.broker.offset(stage.name, inbox), partition.stable))
