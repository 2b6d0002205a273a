"""What a worker does about stores that fail, a log that does not answer, and messages that are too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedSession
from streams.engine.holdings import TOUCH_MS
from streams.engine.log import Inbox, TableEnd, UnavailableError
from streams.engine.overlay import BrokenStoreError
from streams.engine.runtime import Limits, Worker
from streams.engine.store import Sync
from tests.unit.streams.engine.test_runtime import MESSAGES, Counter, Disk, DiskStore, Plant, counting

HOUR_MS = 3_600_000


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


class Fragile(Disk):
    """Stores that fail on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.failing_reads = 0
        self.failing_writes = 0
        self.rebuilt: list[int] = []

    def open(self, partition: int) -> DiskStore:
        self.rows.setdefault(partition, {})
        return FragileStore(self, partition)

    def rebuild(self, partition: int) -> DiskStore:
        self.rebuilt.append(partition)
        return super().rebuild(partition)


class FragileStore(DiskStore):
    def __init__(self, disk: Fragile, partition: int) -> None:
        super().__init__(disk, partition)
        self._fragile = disk

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if self._fragile.failing_reads:
            self._fragile.failing_reads -= 1
            raise OSError("a damaged block")
        return super().get_many(keys)

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        if rows and self._fragile.failing_writes:
            self._fragile.failing_writes -= 1
            raise OSError("no space")
        super().apply(rows, sync)


class Distant(EmbeddedSession):
    """A log that does not answer some calls."""

    unanswered: Iterator[str] = iter(())

    def _answer(self, call: str) -> None:
        if next(self.unanswered, "") == call:
            raise UnavailableError(f"{call}: no answer")

    def table_end(self, partition: int) -> TableEnd:
        self._answer("table_end")
        return super().table_end(partition)

    def resume(self, partition: Inbox) -> None:
        self._answer("resume")
        super().resume(partition)

    def begin(self) -> None:
        self._answer("begin")
        super().begin()

    def rewind(self) -> None:
        self._answer("rewind")
        super().rewind()


def distant(plant: Plant, unanswered: Sequence[str]) -> tuple[Worker, list[float]]:
    """A worker on a log that does not answer when the next call is the next of `unanswered`, and how long it rested."""
    session = Distant(plant.log, "counter", ["in"])
    session.unanswered = iter(unanswered)
    rests: list[float] = []
    worker = Worker(Counter(), session, plant.disk, limits=Limits(messages=10), rest=rests.append)
    return worker, rests


@pytest.mark.parametrize("reads", [True, False])
def test_a_store_that_fails_once_is_rebuilt_from_its_table_topic(plant: Plant, reads: bool) -> None:
    plant.disk = disk = Fragile()
    plant.feed(MESSAGES)
    worker = plant.worker()
    while not worker.counts.batches:
        worker.step(0)
    disk.failing_reads, disk.failing_writes = (1, 0) if reads else (0, 1)
    plant.drain(worker)
    plant.drain(worker)
    assert len(disk.rebuilt) == 1
    assert sorted(plant.sent()) == sorted(counting(MESSAGES))
    assert plant.state() == plant.table() == dict(counting(MESSAGES))


def test_a_store_that_fails_again_after_it_was_rebuilt_ends_the_instance(plant: Plant) -> None:
    plant.disk = disk = Fragile()
    plant.feed(MESSAGES)
    worker = plant.worker()
    disk.failing_reads = 100
    with pytest.raises(BrokenStoreError, match="disk"):
        plant.drain(worker)


@pytest.mark.parametrize(
    "calls", [["table_end"] * 3, ["", "resume", "rewind", "rewind"], ["", "", "", "", "begin", "rewind"]]
)
def test_a_log_that_does_not_answer_is_waited_for(plant: Plant, calls: list[str]) -> None:
    plant.feed(MESSAGES)
    worker, rests = distant(plant, calls)
    troubled = 0
    for _ in range(40):
        worker.step(0)
        troubled += "no answer" in worker.trouble
    assert troubled
    assert worker.trouble == ""
    assert rests
    assert sorted(plant.sent()) == sorted(counting(MESSAGES))
    assert plant.state() == plant.table() == dict(counting(MESSAGES))


def test_the_pauses_between_tries_grow_to_five_seconds(plant: Plant) -> None:
    plant.feed(MESSAGES)
    worker, rests = distant(plant, ["table_end"] * 2_000)
    for _ in range(1_100):
        worker.step(0)
    assert rests[:4] == [0.2, 0.4, 0.8, 1.6]
    assert set(rests[6:]) == {5.0}


def test_a_batch_begins_no_sooner_than_the_interval_after_the_one_before(plant: Plant) -> None:
    rests: list[float] = []
    now = 100.0

    def rest(seconds: float) -> None:
        nonlocal now
        rests.append(seconds)
        now += seconds

    session = EmbeddedSession(plant.log, "counter", ["in"])
    limits = Limits(messages=2, interval_seconds=0.5)
    worker = Worker(Counter(), session, plant.disk, limits=limits, clock=lambda: now, rest=rest)
    plant.feed([(b"a", b"1")])
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1")]
    assert rests == [0.5]  # only the idle step right after it
    now += 0.2
    plant.feed([(b"a", b"2")])
    worker.step(0)
    now += 0.1
    plant.feed([(b"a", b"3"), (b"a", b"4"), (b"a", b"5")])
    worker.step(0)
    assert rests == [0.5, pytest.approx(0.4)]
    assert len(plant.sent()) == 4


def test_a_batch_holds_no_more_bytes_than_its_limit_but_always_a_message(plant: Plant) -> None:
    plant.feed([(b"a", b"x" * size) for size in (10, 10, 500, 10, 10)])
    session = EmbeddedSession(plant.log, "counter", ["in"])
    worker = Worker(Counter(), session, plant.disk, limits=Limits(messages=10, bytes=100))
    done = [worker.step(0) for _ in range(12)]
    assert [count for count in done if count] == [2, 1, 2]
    assert plant.sent() == [(b"a", b"%d" % n) for n in range(1, 6)]


def test_the_store_of_a_quiet_partition_does_not_grow_old(plant: Plant) -> None:
    plant.feed(MESSAGES)
    worker = plant.worker()
    plant.drain(worker)
    for _ in range(10 * 24):
        plant.now_ms += TOUCH_MS
        worker.step(0)
    plant.disk.rows[0][b"mark"] = plant.disk.rows[1][b"mark"] = b"still the same store"
    plant.drain(plant.worker())
    assert b"mark" in plant.disk.rows[0]
    assert b"mark" in plant.disk.rows[1]


def test_the_store_of_a_process_that_slept_is_as_old_as_its_sleep(plant: Plant) -> None:
    plant.feed(MESSAGES)
    worker = plant.worker()
    plant.drain(worker)
    plant.now_ms += 10 * 24 * HOUR_MS
    worker.step(0)  # it does not know yet whether it has lost its partitions meanwhile
    ages = [plant.now_ms - sync.timestamp for sync in plant.disk.syncs.values() if sync]
    assert min(ages) >= 10 * 24 * HOUR_MS


def test_a_store_from_the_future_is_set_aside(plant: Plant) -> None:
    plant.feed(MESSAGES)
    plant.now_ms += 30 * 24 * HOUR_MS
    plant.drain(plant.worker())
    plant.disk.rows[0][b"ghost"] = b"1"
    plant.now_ms -= 30 * 24 * HOUR_MS
    plant.drain(plant.worker())
    assert plant.state() == dict(counting(MESSAGES))
