"""One worker process of the simulation: a thread that may be killed, frozen, or told to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streams.engine.contract import Processor
from streams.engine.log import FencedError, LogError, UnavailableError
from streams.engine.outbox import Partitioner
from streams.engine.overlay import BrokenStoreError
from streams.engine.runtime import Limits, Worker
from tests.simulation.actors import Actor, KilledError
from tests.simulation.broker import TRANSACTION_TIMEOUT_MS, Broker
from tests.simulation.disk import Disk
from tests.simulation.groups import SESSION_TIMEOUT_MS, Group
from tests.simulation.session import SimulatedSession
from tests.simulation.weather import Weather

PATIENCE_MS = 2_000
"""How long a call to the log waits."""


class World(Protocol):
    """What a process sees of the simulation it lives in."""

    broker: Broker
    weather: Weather

    def happened(self, what: str, who: str = "", detail: str = "") -> None: ...

    def wall_ms(self) -> int: ...


class Process:
    """Runs one `Worker` as a supervised process would: until it fails, is killed, or is told to stop."""

    def __init__(
        self,
        world: World,
        name: str,
        group: Group,
        producer: str,
        disk: Disk,
        stateful: bool,
        processor: Callable[[], Processor],
        partitioners: dict[str, Partitioner],
    ) -> None:
        self.name = name
        self.disk = disk
        self.stopping = False
        self.ended = "killed"  # how, once it is over
        self.idle = False  # between two steps
        self.worker: Worker | None = None
        self.session: SimulatedSession | None = None
        self._world = world
        self._group = group
        self._producer = producer
        self._stateful = stateful
        self._processor = processor
        self._partitioners = partitioners
        self._frozen_until = 0
        self._waits_until: Callable[[], bool] | None = None
        self._waits_since = 0
        self._seconds = 0.0
        disk.point = self._disk_point
        self.actor = Actor(name, self._main)

    # -- as the simulation sees it --

    def may_run(self) -> bool:
        """Whether it is neither frozen nor waiting. A frozen process sends no heartbeats."""
        now = self._world.broker.now
        member = self.session.member if self.session else None
        if now < self._frozen_until:
            if member and member.silent_since is None:
                member.silent_since = now
            return False
        if member:
            member.silent_since = None
        return self._waits_until is None or self._waits_until() or now - self._waits_since > PATIENCE_MS

    def gone(self) -> None:
        """It died without a word: the group finds out by its silence."""
        if self.session:
            self.session.member.silent_since = self._world.broker.now

    # -- as the engine and the session see it --

    def happened(self, what: str, detail: str = "") -> None:
        self._world.happened(what, self.name, detail)

    def wall_ms(self) -> int:
        return self._world.wall_ms()

    def clock(self) -> float:
        if self._world.weather.strikes("slow fold"):
            self.happened("slow fold")
            self._seconds += 5
        return self._seconds + self._world.broker.now / 1000

    def at(self, step: int) -> None:
        """The numbered steps of the commit protocol."""
        if self._world.weather.strikes("crash at a step"):
            self.happened(f"crash at step {step}")
            raise KilledError
        self.point(f"step {step}")

    def point(self, where: str) -> None:
        weather = self._world.weather
        if weather.strikes("crash"):
            self.happened("crash during restore" if where in {"restore", "table end"} else f"crash at {where}")
            raise KilledError
        if weather.strikes("freeze"):
            shortest = weather.random.choice((0, SESSION_TIMEOUT_MS))
            self._frozen_until = self._world.broker.now + shortest + weather.random.randrange(TRANSACTION_TIMEOUT_MS)
            self.happened(f"freeze at {where}")
            self.actor.give_way()
        elif weather.random.random() < 0.15:
            self.actor.give_way()

    def _disk_point(self, where: str) -> None:
        self.point(where)
        if self._world.weather.strikes("disk fails"):
            self.happened(f"disk fails at {where}")
            raise OSError("the disk failed")

    def wait(self, where: str, until: Callable[[], bool]) -> None:
        if until():
            return
        self._waits_until, self._waits_since = until, self._world.broker.now
        self.actor.give_way()
        self._waits_until = None
        if not until():
            self.happened(f"{where} gave up waiting")
            raise UnavailableError(f"{where}: no answer in time")

    # -- its life --

    def _main(self) -> None:
        try:
            self._run()
        except FencedError:
            self.ended = "fenced"
            self.happened("fenced: leaves")
        except LogError:
            self.ended = "log error"
        except BrokenStoreError:
            self.ended = "store failed"

    def _run(self) -> None:
        self.session = SimulatedSession(self, self._world.broker, self._group, self._world.weather, self._producer)
        random = self._world.weather.random
        limits = Limits(messages=random.randrange(1, 9), outputs=random.randrange(1, 9))
        worker = self.worker = Worker(
            self._processor(),
            self.session,
            self.disk if self._stateful else None,
            partitioners=self._partitioners,
            limits=limits,
            at=self.at,
            clock=self.clock,
            wall_ms=self._world.wall_ms,
            rest=lambda seconds: self.point("rest"),
        )
        while not self.stopping:
            worker.step(0)
            if worker.stopped:
                self.happened("partition stopped", " ".join(worker.stopped))
                self.stopping = True  # an operator starts it again
            self.idle = True
            self.actor.give_way()
            self.idle = False
        worker.close()
        self.ended = "stopped"
