"""What is done to singleview's own processes, broker and registry. Each fault returns the time to measure from."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.chaos.faults import FROZEN_SECONDS
from tests.chaos.processes import Supervised, Supervisor
from tests.chaos.site import Site, Worker, workers

Fault = Callable[["PipelineRun"], float]
"""Returns epoch seconds: when it struck, or, if all must wait for a server, when that was back."""

REGISTRY_SECONDS = 5.0
"""How long the registry is away, and then some: it needs as long again to start."""

START_SECONDS = 30.0
"""How long a child may take to be there again, and to ask the registry."""

END_SECONDS = 15.0
"""How long children may take to notice that their parent has gone, and to end their batches."""

ASK_THE_REGISTRY = frozenset({"intake", "customers", "notify"})


class PipelineRun(Protocol):
    """What a fault can reach."""

    random: Random
    site: Site
    supervisor: Supervisor
    stops: list[float]

    def parent(self) -> Supervised: ...

    def until(self, done: Callable[[], bool], what: str, patience: float) -> None: ...


def child_killed(run: PipelineRun) -> float:
    child = _child(run)
    struck = time.time()
    os.kill(child.pid, signal.SIGKILL)
    return struck


def child_frozen(run: PipelineRun) -> float:
    """SIGSTOP past the session and the transaction time-out."""
    child = _child(run)
    struck = time.time()
    os.kill(child.pid, signal.SIGSTOP)
    run.supervisor.wait(FROZEN_SECONDS)
    if child.alive:
        os.kill(child.pid, signal.SIGCONT)
    return struck


def parent_killed(run: PipelineRun) -> float:
    """Its children end by themselves; meanwhile it is started again under the same name."""
    parent = run.parent()
    children = workers(parent)
    struck = time.time()
    parent.signal(signal.SIGKILL)
    _gone(run, children)
    return struck


def stores_wiped(run: PipelineRun) -> float:
    parent = run.parent()
    children = workers(parent)
    struck = time.time()
    parent.kill()
    _gone(run, children)
    for folder in run.site.stores(parent.name):
        shutil.rmtree(folder)
    parent.start()
    return struck


def run_restarted(run: PipelineRun) -> float:
    """SIGTERM, and back again."""
    parent = run.parent()
    struck = time.time()
    run.stops.append(parent.stop())
    parent.start()
    return struck


def broker_killed(run: PipelineRun) -> float:
    run.site.kafka.kill()
    run.supervisor.wait(run.random.uniform(1, 8))
    run.site.kafka.start()
    return time.time()


def registry_killed(run: PipelineRun) -> float:
    """Whoever knows its schemas need not notice."""
    struck = time.time()
    run.site.registry.kill()
    run.supervisor.wait(REGISTRY_SECONDS)
    run.site.registry.start()
    return struck


def registry_killed_and_a_child(run: PipelineRun) -> float:
    """The child comes back knowing no schema: it waits for the registry, and says so."""
    run.site.registry.kill()
    child = _child(run, ASK_THE_REGISTRY)
    said = _waits(run)
    os.kill(child.pid, signal.SIGKILL)
    run.until(lambda: _waits(run) > said, "a worker that starts without the registry says that it waits", START_SECONDS)
    run.site.registry.start()
    return time.time()


ALL: dict[str, Fault] = {
    "child killed": child_killed,
    "child frozen": child_frozen,
    "parent killed": parent_killed,
    "stores wiped": stores_wiped,
    "run restarted": run_restarted,
    "broker killed": broker_killed,
    "registry killed": registry_killed,
    "registry killed, and a child": registry_killed_and_a_child,
}

SHORT = ("child killed", "registry killed, and a child", "stores wiped")


def _child(run: PipelineRun, any_of: frozenset[str] = frozenset()) -> Worker:
    """A child at work; of one of these processors, if any are named."""
    found: list[Worker] = []

    def there() -> bool:
        found[:] = [
            child
            for parent in run.supervisor.workers.values()
            for child in workers(parent)
            if child.processors and (not any_of or child.processors & any_of)
        ]
        return bool(found)

    run.until(there, "a child is there", END_SECONDS)
    return run.random.choice(found)


def _gone(run: PipelineRun, children: list[Worker]) -> None:
    run.until(lambda: not any(child.alive for child in children), "children end with their parent", END_SECONDS)


def _waits(run: PipelineRun) -> int:
    """How often workers said that the registry is away."""
    return sum(parent.says().count("cannot be reached") for parent in run.supervisor.workers.values())
