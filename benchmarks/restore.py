"""How fast an empty store is brought up to its table topic: a Worker of the engine takes over four partitions of rows."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.cluster import PARTITIONS, Cluster
from benchmarks.contenders.engine import make_worker
from benchmarks.engine import FailedError
from benchmarks.paths import own_folder
from benchmarks.population import records
from benchmarks.sending import send
from benchmarks.task import Task

START_SECONDS = 120.0
Tell = Callable[[str, int, int], None]


def measure_restore(cluster: Cluster, rows: int, serial: int, tell: Tell) -> float:
    """Table records a second, over all partitions, one processor instance; rows as the processor `records` keeps them."""
    prefix = f"bench-restore-{serial}."
    with own_folder("restore") as folder:
        task = Task(
            brokers=cluster.brokers,
            prefix=prefix,
            source=f"{prefix}source",
            output=f"{prefix}out",
            group=f"{prefix}merge",
            folder=str(folder),
        )
        cluster.create([task.source, task.output, f"{prefix}dead-letters"])
        cluster.create([f"{prefix}merge-table"], {"cleanup.policy": "compact"})
        try:
            _fill(cluster, f"{prefix}merge-table", rows, tell)
            return rows / _restore(task, rows, tell)
        finally:
            cluster.delete(prefix)


def _fill(cluster: Cluster, topic: str, rows: int, tell: Tell) -> None:
    producer = cluster.producer({"compression.type": "lz4"})
    for done, (key, value) in enumerate(records().population(rows), start=1):
        send(producer, topic, value, key, done % PARTITIONS)
        if done % 10_000 == 0:
            producer.poll(0)
            tell("filling a table topic", done, rows)
    if producer.flush(60):
        raise FailedError("the table topic could not be filled: is the broker well?")


def _restore(task: Task, rows: int, tell: Tell) -> float:
    """Seconds from the first partition's assignment to the last one's being ready."""
    worker = make_worker(task)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not worker.restoring:
            worker.step(0.01)
            if time.monotonic() > deadline:
                raise FailedError("no partition was assigned")
        began = time.monotonic()
        while restoring := worker.restoring:
            worker.step(0.0)
            tell("restoring", rows - sum(each.total - each.done for each in restoring.values()), rows)
        return time.monotonic() - began
    finally:
        worker.close()
