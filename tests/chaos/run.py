"""One run: brokers, workers, a load, a verifying process; faults one after the other; then everything is compared."""

from __future__ import annotations

import math
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from connectors.logs.topics import ensure_topics, first_offsets
from schemas.topics import TopicNames
from tests.chaos.brokers import Brokers
from tests.chaos.counting import NAME, PARTITIONS, TABLE, TOPICS, USUAL_LOAD, Folders, Load
from tests.chaos.ending import Ending, compare
from tests.chaos.faults import ALL, REPLICATED, ChaosError
from tests.chaos.processes import Child, Supervised, Supervisor
from tests.chaos.worker import FENCED_CODE, holds, restores

WORKERS = ("a", "b", "c")
PATIENCE = 300.0
"""How long the pipeline may take to go on after a fault, on a machine that is busy with other things."""


class Struck(NamedTuple):
    """A fault that happened."""

    kind: str
    takeover: float  # seconds until every partition went on


class Report(NamedTuple):
    """The evidence of a run."""

    faults: list[Struck]
    ending: Ending
    violations: list[str]  # seen by the verifying process while it went on
    codes: dict[str, list[int]]  # how the workers ended
    stops: list[float]  # seconds from SIGTERM to the end
    late: Mapping[str, int]  # requests of a transaction that came late or not at all, by kind and way

    @property
    def well(self) -> bool:
        return self.ending.well and not self.violations and not strange_ends(self.codes)


def strange_ends(codes: Mapping[str, Sequence[int]]) -> list[str]:
    """Workers that ended by themselves, though they should have lived through it."""
    fine = {0, -signal.SIGKILL, FENCED_CODE}
    return [f"{name} with {code}" for name, found in codes.items() for code in found if code not in fine]


class Chaos:
    """A run. `say` is told what happens."""

    def __init__(
        self, brokers: Brokers, seed: int, protocol: str, say: Callable[[str], None], sending: Load = USUAL_LOAD
    ) -> None:
        self.random = Random(seed)
        self.brokers = brokers
        self.supervisor = Supervisor()
        self.stops: list[float] = []
        self.prefix = f"chaos{uuid.uuid4().hex[:8]}."
        self.table = self.prefix + TABLE.name
        self.folders = Folders(Path(tempfile.mkdtemp(prefix="singleview-chaos-")))
        self._seed = seed
        self._protocol = protocol
        self._say = say
        self._sending = sending
        self._others: list[Child] = []
        self._newcomers = 0
        self._codes: dict[str, list[int]] = {}

    # -- what faults can do --

    def victim(self) -> Supervised:
        """One that holds a partition."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            holding = [w for w in self.supervisor.workers.values() if w.running and holds(w.says())]
            if holding:
                return self.random.choice(holding)
            self.supervisor.wait(0.5)
        raise ChaosError("no worker holds a partition")

    def idle(self, newcomers: Sequence[Supervised]) -> bool:
        """They are members, every partition is held, and one of them holds none."""
        held = set().union(*(holds(w.says()) for w in self.supervisor.workers.values() if w.running))
        joined = all(" assigned " in newcomer.says() for newcomer in newcomers)
        return joined and held == set(range(PARTITIONS)) and not all(holds(newcomer.says()) for newcomer in newcomers)

    def restored_by_others(self, worker: Supervised) -> set[int]:
        others = [w for w in self.supervisor.workers.values() if w.running and w is not worker]
        return set().union(*(restores(w.says()) for w in others))

    def until(self, done: Callable[[], bool], what: str) -> None:
        self._until(done, what)

    def twin(self, worker: Supervised) -> Child:
        folder = self.folders.worker(f"{worker.name}-twin")
        twin = Child("tests.chaos.worker", self._arguments(worker.name, folder), folder / "log")
        self._others.append(twin)
        return twin

    def newcomer(self) -> Supervised:
        self._newcomers += 1
        return self._hire(f"extra{self._newcomers}")

    def dismiss(self, worker: Supervised) -> None:
        worker.kill()
        del self.supervisor.workers[worker.name]
        self._codes[worker.name] = worker.codes

    def _hire(self, name: str) -> Supervised:
        folder = self.folders.worker(name)
        worker = Supervised(name, self._arguments(name, folder), folder)
        self.supervisor.workers[name] = worker
        worker.start()
        return worker

    def _arguments(self, name: str, folder: Path) -> list[str]:
        return [name, str(folder), self.brokers.proxied, self.prefix, self._protocol]

    # -- the run --

    def run(self, kinds: Sequence[str], minutes: float = math.inf) -> Report:
        """No fault begins after so many minutes."""
        settings = {"bootstrap.servers": self.brokers.address}
        self.brokers.make_table(TABLE, self.prefix)
        ensure_topics(settings, TOPICS, self.prefix, len(self.brokers.parts))
        first_offsets(settings, self.prefix + NAME, [TopicNames(self.prefix).physical("in")])
        load = self._other(
            "tests.chaos.load", [self.brokers.address, self.prefix, str(self._seed), *map(str, self._sending)], "load"
        )
        verify = self._other("tests.chaos.verify", [self.brokers.address, self.prefix, str(self.folders.root)], "verify")
        for name in WORKERS:
            self._hire(name)
        self._until(lambda: "loaded" in load.says(), "the load has begun")
        self._goes_on(int(time.time() * 1000))
        deadline = time.monotonic() + 60 * minutes
        faults = [self._strike(kind) for kind in kinds if time.monotonic() < deadline]
        if load.stop(PATIENCE) != 0:
            raise ChaosError(f"the load was not acknowledged: {load.says()}")
        self._until(self._consumed, "everything is consumed")
        owners = {
            partition: worker.folder / "stores"
            for worker in self.supervisor.workers.values()
            for partition in holds(worker.says())
        }
        for worker in self.supervisor.workers.values():
            self.stops.append(worker.stop())
            self._codes[worker.name] = worker.codes
        self.supervisor.wait(2)  # the verifying process reads the rest
        verify.stop(30)
        ending = compare(self.brokers.address, self.prefix, owners, self.folders.root / "scratch")
        violations = self.folders.violations.read_text().splitlines()
        late = {f"{api.name}, {way}": count for (api, way), count in sorted(self.brokers.proxy.done.items())}
        return Report(faults, ending, violations, self._codes, self.stops, late)

    def _other(self, module: str, arguments: list[str], name: str) -> Child:
        child = Child(module, arguments, self.folders.root / name / "log")
        self._others.append(child)
        return child

    def _strike(self, kind: str) -> Struck:
        self.supervisor.wait(self.random.uniform(0.5, 3))
        struck_ms = (ALL | REPLICATED)[kind](self)
        takeover = self._goes_on(struck_ms)
        self._say(f"{kind}: every partition went on after {takeover:.1f} s")
        return Struck(kind, takeover)

    def _goes_on(self, since_ms: int) -> float:
        """Waits until a message sent since then was seen from each partition; returns how long the last one took."""
        first: dict[int, int] = {}

        def seen() -> bool:
            for line in self.folders.arrivals.read_text().splitlines() if self.folders.arrivals.exists() else ():
                partition, sent, arrived = map(int, line.split())
                if sent >= since_ms and partition not in first:
                    first[partition] = arrived
            return len(first) == PARTITIONS

        self._until(seen, "every partition goes on")
        return (max(first.values()) - since_ms) / 1000

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            if ends := strange_ends({worker.name: worker.codes for worker in self.supervisor.workers.values()}):
                raise ChaosError(f"ended by themselves: {', '.join(ends)} (see {self.folders.root})")
            if time.monotonic() > deadline:
                raise ChaosError(f"not within {PATIENCE:.0f} s: {what} (see {self.folders.root})")
            self.supervisor.wait(0.3)

    def _consumed(self) -> bool:
        """The input holds no transaction markers, so that its end is the last message's."""
        topic = TopicNames(self.prefix).physical("in")
        asking = Consumer({"bootstrap.servers": self.brokers.address, "group.id": self.prefix + NAME})
        try:
            found = asking.committed([TopicPartition(topic, partition) for partition in range(PARTITIONS)], 30)
            return all(at.offset == (asking.get_watermark_offsets(at, 30) or (0, 0))[1] for at in found)
        finally:
            asking.close()

    def close(self) -> None:
        for worker in self.supervisor.workers.values():
            worker.kill()
        for other in self._others:
            other.process.kill()
            other.process.wait()


@contextmanager
def chaos(brokers: int, seed: int, protocol: str, say: Callable[[str], None], sending: Load = USUAL_LOAD) -> Iterator[Chaos]:
    """A run on brokers of its own. Its files stay if it does not end well. Raises MissingPartError."""
    parts = Brokers(brokers)
    try:
        run = Chaos(parts, seed, protocol, say, sending)
        try:
            yield run
        finally:
            run.close()
        shutil.rmtree(run.folders.root)
    finally:
        parts.close()


def sequence(every: Iterable[str], count: int, seed: int) -> list[str]:
    """So many faults: each kind as often as possible, in an order given by the seed."""
    chance = Random(seed)
    of = list(every)
    kinds: list[str] = []
    while len(kinds) < count:
        kinds += chance.sample(of, len(of))
    return kinds[:count]
