"""A message that takes more memory, or longer, than there is: tried alone, then its partition stops before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedSession
from connectors.logs.partitioner import partition_of
from schemas.topics import DEAD_LETTERS
from streams.engine.contract import Message, Outbox, Store
from streams.engine.log import Inbox, UnknownError
from streams.engine.runtime import Limits, Worker
from tests.unit.streams.engine.test_runtime import Counter, Plant, counting

LIMIT_SECONDS = 10.0
FIRST, SECOND = (next(b"k%d" % n for n in range(50) if partition_of(b"k%d" % n, 2) == p) for p in range(2))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


class Timed(EmbeddedSession):
    """A log whose transactions time out, by the clock of the greedy."""

    transaction_seconds = LIMIT_SECONDS
    greedy: Greedy
    began = 0.0

    def begin(self) -> None:
        self.began = self.greedy.now
        super().begin()

    def commit(self) -> Mapping[Inbox, int]:
        self.greedy.now += 0.5  # too long for what took 9.8 s
        if self.greedy.now - self.began > LIMIT_SECONDS:
            raise UnknownError("it was open for too long and has probably expired")
        return super().commit()


class Greedy(Counter):
    """Counts. `memory` takes too much, so often; `N s` takes so many seconds."""

    def __init__(self, failures: int = 1_000) -> None:
        super().__init__()
        self.failures = failures
        self.now = 0.0
        self.in_prepare = False
        self.sizes: list[int] = []

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        self.sizes.append(len(batch))
        super().prepare(batch, store)
        if self.in_prepare:
            self._take(batch)

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        super().process(message, store, out)
        if not self.in_prepare:
            self._take([message])

    def _take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.value == b"memory" and self.failures:
                self.failures -= 1
                raise MemoryError
            if message.value and message.value.endswith(b" s") and self.failures:
                self.failures -= 1
                self.now += float(message.value[:-2])


def greedy_worker(plant: Plant, greedy: Greedy) -> Worker:
    session = Timed(plant.log, "counter", ["in"])
    session.greedy = greedy
    limits = Limits(messages=10, outputs=4, retry_seconds=0.0)
    return Worker(greedy, session, plant.disk, limits=limits, clock=lambda: greedy.now, wall_ms=lambda: plant.now_ms)


def work(plant: Plant, worker: Worker) -> None:
    for _ in range(60):
        worker.step(0)


@pytest.mark.parametrize("in_prepare", [False, True])
@pytest.mark.parametrize("value", [b"memory", b"11 s", b"9.8 s"])
def test_its_partition_stops_before_it_and_says_so_while_the_others_go_on(
    plant: Plant, value: bytes, in_prepare: bool, caplog: pytest.LogCaptureFixture
) -> None:
    greedy = Greedy()
    greedy.in_prepare = in_prepare
    messages = [*[(FIRST, b"v")] * 5, (FIRST, value), *[(FIRST, b"v")] * 5]
    others = [(SECOND, b"v")] * 12
    plant.feed([*messages, *others])
    worker = greedy_worker(plant, greedy)
    work(plant, worker)
    assert sorted(plant.sent()) == sorted(counting([*messages[:5], *others]))
    assert set(worker.stopped) == {f"in/{partition_of(FIRST, 2)}"}
    assert list(plant.log.messages(DEAD_LETTERS)) == []
    (why,) = worker.stopped.values()
    assert "in/0/5" in why.replace(f"in/{partition_of(FIRST, 2)}/5", "in/0/5")
    assert "start again" in why
    assert f"stopped reading in/{partition_of(FIRST, 2)} at" in caplog.text
    if value != b"memory":
        assert "s, and a transaction may take 10 s" in why
    inbox = plant.log.topic("in")
    assert plant.log.offset("counter", inbox, partition_of(FIRST, 2)) == 5
    assert worker.trouble == ""


@pytest.mark.parametrize("value", [b"memory", b"11 s"])
def test_one_that_comes_through_alone_is_no_trouble(plant: Plant, value: bytes) -> None:
    messages = [*[(FIRST, b"v")] * 3, (FIRST, value), *[(FIRST, b"v")] * 3]
    plant.feed(messages)
    worker = greedy_worker(plant, Greedy(failures=2))
    work(plant, worker)
    assert plant.sent() == counting(messages)
    assert worker.stopped == {}
    assert worker.counts.dead_letters == {}


def test_messages_that_are_slow_together_are_no_trouble(plant: Plant) -> None:
    messages = [(FIRST, b"3 s")] * 20
    plant.feed(messages)
    worker = greedy_worker(plant, Greedy())
    work(plant, worker)
    assert plant.sent() == counting(messages)
    assert worker.stopped == {}


def test_memory_that_is_short_in_a_store_does_not_cost_the_store(plant: Plant) -> None:
    class Short(Counter):
        failures = 3

        def prepare(self, batch: Sequence[Message], store: Store) -> None:
            if self.failures:
                self.failures -= 1
                raise MemoryError
            super().prepare(batch, store)

    rebuilt: list[int] = []
    plant.disk.rebuild = rebuilt.append  # type: ignore[assignment, method-assign]
    plant.feed([(FIRST, b"v")] * 20)
    worker = plant.worker(Short())
    plant.drain(worker)
    work(plant, worker)
    assert plant.sent() == counting([(FIRST, b"v")] * 20)
    assert rebuilt == []


def test_a_stop_is_forgotten_at_the_next_start(plant: Plant) -> None:
    messages = [(FIRST, b"v"), (FIRST, b"memory"), (FIRST, b"v")]
    plant.feed(messages)
    work(plant, greedy_worker(plant, Greedy()))
    plant.drain(plant.worker())
    assert plant.sent() == counting(messages)
