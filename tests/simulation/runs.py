"""Running seeds: each in its own world; a failure says how to see it again and what led to it."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from streams.engine import split
from tests.simulation import counting, unified
from tests.simulation.world import Pipeline, World

SEEDS_ENV = "SINGLEVIEW_SIMULATION_SEEDS"
"""How many seeds of each pipeline the tests run."""

SEEDS = 200
EVENTS_SHOWN = 60


class Scenario(NamedTuple):
    """A pipeline by seed, and the check of what came out of it."""

    name: str
    part_bytes: int  # rows are split beyond this size
    pipeline: Callable[[int], Pipeline]
    check: Callable[[World, Pipeline], None]


SCENARIOS: Mapping[str, Scenario] = {
    "counting": Scenario("counting", 24, counting.pipeline, counting.check),
    "unified": Scenario("unified", 400, unified.pipeline, unified.check),
}


class SimulationError(Exception):
    """A seed went wrong. The message holds the way to replay it and the end of its trace; `__cause__` is what was raised."""


def seeds() -> range:
    return range(int(os.environ.get(SEEDS_ENV, SEEDS)))


def run(scenario: Scenario, seed: int, *, faults: bool = True) -> World:
    """One seed, checked. Raises SimulationError."""
    given = scenario.pipeline(seed)
    world = World(given, seed, faults=faults)
    with _engine_log_in(world.trace), _small_parts(scenario.part_bytes):
        try:
            world.run()
            scenario.check(world, given)
        except Exception as error:
            raise SimulationError(_report(scenario, seed, world, error)) from error
    return world


def run_all(scenario: Scenario, numbers: Iterable[int]) -> Counter[str]:
    """Many seeds; returns how often everything happened. Raises SimulationError at the first that fails."""
    total: Counter[str] = Counter()
    for seed in numbers:
        total += run(scenario, seed).counts
    return total


def _report(scenario: Scenario, seed: int, world: World, error: Exception) -> str:
    return "\n".join(
        [
            f"seed {seed} of {scenario.name}: {type(error).__name__}: {error}",
            f"replay: python -m tests.simulation {scenario.name} {seed}",
            f"the last of {len(world.trace)} events:",
            *world.trace[-EVENTS_SHOWN:],
        ]
    )


@contextmanager
def _small_parts(size: int) -> Iterator[None]:
    usual, split.PART_BYTES = split.PART_BYTES, size
    try:
        yield
    finally:
        split.PART_BYTES = usual


@contextmanager
def _engine_log_in(trace: list[str]) -> Iterator[None]:
    """What the engine logs becomes part of the trace, and of nothing else."""
    logger = logging.getLogger("streams.engine")
    handler = _ToTrace(trace)
    propagate, logger.propagate = logger.propagate, False
    level = logger.level
    logger.setLevel(logging.WARNING)  # whatever the process around it wants to hear: a replay gives the same trace
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _ToTrace(logging.Handler):
    def __init__(self, trace: list[str]) -> None:
        super().__init__()
        self._trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        self._trace.append(f"           log: {record.getMessage()}")
