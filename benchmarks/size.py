"""Workload 3: what an event costs when the store holds many customers, and how fast a store comes back from its topic.

Cost is the CPU time of a worker's process (Kafka's client and RocksDB's threads included) for one event of a backlog. A
small and a large store are measured in turns, one open at a time. They are preloaded on disk; their table topics are empty.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from benchmarks.cluster import Cluster
from benchmarks.engine import FailedError
from benchmarks.paths import own_folder
from benchmarks.population import Plant
from benchmarks.sending import send
from connectors.logs.kafka import Connection, KafkaSession
from connectors.logs.topics import topic_ids
from schemas.topics import DEAD_LETTERS, TopicNames, table_topic
from streams.engine.runtime import Limits, Worker
from streams.engine.store import Sync
from tables.rocks import RocksStore, RocksStores, StoreOptions
from tests.fakes import MemoryStore, RecordingOutbox

WARMING_EVENTS = 8_000
"""Of each round, not counted: joining the group, and the first batches of a store that was just opened."""

BATCH = 2_000
"""Messages at most: a round shall not run far into the next one's."""

PRELOAD_BATCH = 20_000
STALLED_SECONDS = 60.0
INBOX = "inbox"
INSTANCE = "bench"

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


class Site(NamedTuple):
    """One plant at one size: its topics and its store."""

    plant: Plant
    size: int
    folder: Path
    connection: Connection

    @property
    def store(self) -> Path:
        """Of the one partition."""
        return self.folder / "0"

    def physical(self, topic: str) -> str:
        return self.connection.names.physical(topic)


def measure_cost(cluster: Cluster, plant: Plant, sizes: tuple[int, int], events: int, rounds: int, tell: Tell) -> Cost:
    """In each round and each of the two stores, `events` updates of customers drawn evenly, after some to warm up."""
    found: dict[int, list[float]] = {size: [] for size in sizes}
    with own_folder("size") as folder:
        sites = [_site(cluster, plant, size, folder / str(size)) for size in sizes]
        for site in sites:
            _fill(cluster, site, tell)
            _backlog(cluster, site, needed(events, rounds))
        for done in range(rounds):
            for site in sites:
                tell(f"{plant.name}: updates", done, rounds)
                found[site.size].append(_round(site, events))
        large_mb = sum(path.stat().st_size for path in sites[1].folder.rglob("*") if path.is_file()) / 2**20
        for site in sites:
            cluster.delete(site.connection.names.prefix)
    small_us, large_us = (statistics.median(found[size]) for size in sizes)
    return Cost(
        processor=plant.name,
        small=sizes[0],
        large=sizes[1],
        small_us=small_us,
        large_us=large_us,
        large_store_mb=large_mb,
    )


def needed(events: int, rounds: int) -> int:
    """Customers there must be: each is updated once, as an update said twice would be ignored."""
    return rounds * (WARMING_EVENTS + events + 2 * BATCH)


def _site(cluster: Cluster, plant: Plant, size: int, folder: Path) -> Site:
    names = TopicNames(f"bench-size-{plant.name}-{size}.")
    site = Site(plant, size, folder, Connection({"bootstrap.servers": cluster.brokers}, names, INSTANCE))
    told = RecordingOutbox()
    plant.processor.process(plant.updates([0])[0], MemoryStore(dict(plant.population(1))), told)
    written = {INBOX, DEAD_LETTERS, *(sent.topic for sent in told.sent)}
    cluster.create([site.physical(topic) for topic in sorted(written)], partitions=1)
    cluster.create([site.physical(table_topic(plant.name))], {"cleanup.policy": "compact"}, 1)
    return site


def _fill(cluster: Cluster, site: Site, tell: Tell) -> None:
    """The store, as if it reflected all of its table topic."""
    table = site.physical(table_topic(site.plant.name))
    topic_id = topic_ids({"bootstrap.servers": cluster.brokers}, [table])[table]
    store = RocksStore(site.store, StoreOptions.bounded())
    rows = site.plant.population(site.size)
    done = 0
    while batch := dict(islice(rows, PRELOAD_BATCH)):
        done += len(batch)
        store.apply(batch, Sync(topic_id, 0, int(time.time() * 1000)))
        tell(f"{site.plant.name}: filling a store", done, site.size * len(site.plant.rows))
    store.close()


def _backlog(cluster: Cluster, site: Site, events: int) -> None:
    """Updates of customers drawn evenly."""
    chosen = Random(site.size).sample(range(site.size), events)  # noqa: S311  # nothing secret
    producer = cluster.producer({"compression.type": "lz4"})
    for message in site.plant.updates(chosen):
        send(producer, site.physical(INBOX), message.value, message.key)
    if producer.flush(60):
        raise FailedError("the updates could not be published: is the broker well?")


def _round(site: Site, events: int) -> float:
    """CPU microseconds of an event. Closing counts: it writes what the batches left in memory."""
    session = KafkaSession(site.connection, site.plant.name, [INBOX], from_beginning=True)
    stores = RocksStores(site.folder, StoreOptions.bounded())
    worker = Worker(site.plant.processor, session, stores, limits=Limits(messages=BATCH))
    _work(worker, WARMING_EVENTS)
    warmed, began = worker.counts.messages, time.process_time()
    _work(worker, warmed + events)
    worked = worker.counts.messages - warmed
    worker.close()
    spent = time.process_time() - began
    if worker.counts.produced < worker.counts.messages or worker.counts.dead_letters:
        raise FailedError(f"{site.plant.name}: updates without effect: the preloaded rows do not fit")
    return 1e6 * spent / worked


def _work(worker: Worker, messages: int) -> None:
    """Until it has done so many, or there are no more."""
    moved = time.monotonic()
    while worker.counts.messages < messages:
        if worker.step(0.2):
            moved = time.monotonic()
        elif time.monotonic() - moved > STALLED_SECONDS:
            raise FailedError(f"{worker.counts.messages:,} of {messages:,} events done, and nothing moves: {worker.trouble}")
