"""Workload 3: what an event costs when the store holds many customers, and how fast a store comes back from its topic.

Cost is the CPU time of this process (RocksDB's threads included) for what the engine does with a batch apart from Kafka:
prefetch, fold, encode, write to disk. Two stores, a small and a large one, are measured in turns, one open at a time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from benchmarks.engine import FailedError
from benchmarks.paths import own_folder
from benchmarks.population import NOW, Plant
from streams.engine.contract import Message
from streams.engine.outbox import BatchOutbox
from streams.engine.overlay import Overlay
from streams.engine.store import Sync
from tables.rocks import RocksStore, StoreOptions

BATCH = 2_000
"""As the engine's own default."""

PRELOAD_BATCH = 20_000
WARMING_BATCHES = 2  # of each round: not counted

Tell = Callable[[str, int, int], None]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """CPU of one event, in microseconds: the median of the rounds."""

    processor: str
    small: int  # customers in the store
    large: int
    small_us: float
    large_us: float
    large_store_mb: float

    @property
    def ratio(self) -> float:
        return self.large_us / self.small_us


def measure_cost(plant: Plant, sizes: tuple[int, int], events: int, rounds: int, tell: Tell) -> Cost:
    """In each round and each of the two stores, `events` updates of customers drawn evenly."""
    found: dict[int, list[float]] = {size: [] for size in sizes}
    with own_folder("size") as folder:
        for size in sizes:
            _fill(plant, folder / str(size), size, tell)
        draws = {size: _draw(plant, size, events * rounds) for size in sizes}
        for done in range(rounds):
            for size in sizes:
                tell(f"{plant.name}: updates", done, rounds)
                batches = islice(draws[size], events // BATCH)
                found[size].append(_round(plant, folder / str(size), batches))
        large_mb = sum(path.stat().st_size for path in (folder / str(sizes[1])).rglob("*") if path.is_file()) / 2**20
    small_us, large_us = (statistics.median(found[size]) for size in sizes)
    return Cost(
        processor=plant.name,
        small=sizes[0],
        large=sizes[1],
        small_us=small_us,
        large_us=large_us,
        large_store_mb=large_mb,
    )


def _fill(plant: Plant, path: Path, size: int, tell: Tell) -> None:
    store = RocksStore(path, StoreOptions.bounded())
    rows = plant.population(size)
    done = 0
    while batch := dict(islice(rows, PRELOAD_BATCH)):
        done += len(batch)
        store.apply(batch, Sync("preloaded", done, NOW))
        tell(f"{plant.name}: filling a store", done, size * len(plant.rows))
    store.close()


def _draw(plant: Plant, size: int, events: int) -> Iterator[list[Message]]:
    """Batches of updates. Each customer at most once: an update said twice would be ignored."""
    chosen = Random(size).sample(range(size), events)  # noqa: S311  # nothing secret
    for start in range(0, events, BATCH):
        yield plant.updates(chosen[start : start + BATCH])


def _round(plant: Plant, path: Path, batches: Iterable[list[Message]]) -> float:
    """CPU microseconds of an event. Closing counts: it writes what the batches left in memory."""
    store = RocksStore(path, StoreOptions.bounded())
    spent, events = 0.0, 0
    for number, batch in enumerate(batches):
        seconds = _one(plant, store, batch)
        if number >= WARMING_BATCHES:
            spent += seconds
            events += len(batch)
    began = time.process_time()
    store.close()
    return 1e6 * (spent + time.process_time() - began) / events


def _one(plant: Plant, store: RocksStore, batch: list[Message]) -> float:
    """CPU seconds of one batch. Raises FailedError if an update had no effect: the rows are not what they should be."""
    began = time.process_time()
    overlay, out = Overlay(store), BatchOutbox()
    plant.processor.prepare(batch, overlay)
    for message in batch:
        overlay.mark()
        out.mark()
        plant.processor.process(message, overlay, out)
    sent = _count(out.outgoing())
    store.apply(overlay.writes, Sync("preloaded", 0, NOW))
    spent = time.process_time() - began
    if sent < len(batch):
        raise FailedError(f"{plant.name}: {len(batch)} updates led to {sent} messages: the preloaded rows do not fit")
    return spent


def _count(outgoing: Iterable[object]) -> int:
    return sum(1 for _ in outgoing)
