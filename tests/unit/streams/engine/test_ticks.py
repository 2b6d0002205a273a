"""Ticks: written when something is due, and only then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedSession
from connectors.logs.partitioner import partition_of
from schemas.messages import TICK
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.due import LAST_MS, cancel, more, schedule, take_due
from streams.engine.log import Inbox, UnknownError
from streams.engine.runtime import Limits, Worker
from tests.unit.streams.engine.test_runtime import KilledError, Plant

LIMIT = 2
"""Names taken for one tick."""


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


class Clockwork:
    """A message's value says what of its key is due when; what is due is sent."""

    name = "counter"

    def __init__(self, *, rejects: bool = False) -> None:
        self.rejects = rejects

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        assert message.value is not None
        if message.key is not None:
            what, _, at = message.value.partition(b" ")
            (cancel if what == b"cancel" else schedule)(store, int(at), message.key)
            return
        tick = TICK.decode(message.value)
        if self.rejects:
            raise RejectedError("bad", "on purpose")
        due = take_due(store, LAST_MS if tick.everything else tick.time, LIMIT)
        for name in due:
            out.send("out", name, b"%d" % tick.time)
        if tick.everything and len(due) == LIMIT:
            more(out, message.topic, message.partition, tick)


def ticks(plant: Plant) -> int:
    """How many were written: the inbox is not purged of offsets."""
    return sum(plant.log.end("in", partition) for partition in range(2)) - plant.fed


def at(plant: Plant, seconds: float) -> bytes:
    return b"at %d" % (plant.now_ms + 1000 * seconds)


def done(plant: Plant) -> list[bytes]:
    return [key or b"" for key, _ in plant.sent()]


def test_a_tick_comes_when_something_is_due_and_only_then(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 60)), (b"a", at(plant, 90))])
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    plant.now_ms += 59_999
    plant.drain(worker)
    assert ticks(plant) == 0
    plant.now_ms += 1
    plant.drain(worker)
    assert ticks(plant) == 1
    assert plant.sent() == [(b"a", b"%d" % plant.now_ms)]
    plant.now_ms += 30_000
    plant.drain(worker)
    assert ticks(plant) == 2
    plant.now_ms += 10**9
    plant.drain(worker)
    assert ticks(plant) == 2
    assert done(plant) == [b"a", b"a"]
    assert plant.state() == plant.table() == {}


def test_what_was_cancelled_brings_no_tick(plant: Plant) -> None:
    when = at(plant, 60)
    plant.feed([(b"a", when)])
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    plant.feed([(b"a", when.replace(b"at", b"cancel"))])
    plant.drain(worker)
    plant.now_ms += 10**9
    plant.drain(worker)
    assert ticks(plant) == 0


def test_an_earlier_time_said_later_is_kept_as_well(plant: Plant) -> None:
    worker = plant.worker(Clockwork())
    for name, seconds in ((b"a", 90), (b"b", 60)):
        plant.feed([(name, at(plant, seconds))])
        plant.drain(worker)
    plant.now_ms += 60_000
    plant.drain(worker)
    assert done(plant) == [b"b"]


def test_more_than_one_tick_takes_is_done_with_the_next_ones_at_once(plant: Plant) -> None:
    plant.feed([(b"k%d" % n, at(plant, n)) for n in range(9)])
    plant.now_ms += 10_000
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    assert sorted(done(plant)) == [b"k%d" % n for n in range(9)]


def test_no_second_tick_is_written_while_one_is_not_read(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 0))] + [(b"a", at(plant, 10**6))] * 40)
    worker = plant.worker(Clockwork(), batch=2)
    for _ in range(10):
        worker.step(0)
    assert ticks(plant) == 1
    assert done(plant) == []
    plant.drain(worker)
    assert ticks(plant) == 1
    assert done(plant) == [b"a"]


def test_a_partition_that_comes_to_another_owner_keeps_its_times(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 60))])
    plant.drain(plant.worker(Clockwork()))
    plant.now_ms += 60_000
    plant.disk.rows.clear()  # the new owner has nothing but the table topic
    plant.disk.syncs.clear()
    plant.drain(plant.worker(Clockwork()))
    assert done(plant) == [b"a"]


def test_a_tick_that_is_read_by_the_next_owner_and_its_own_do_the_work_once(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 60))])
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    plant.now_ms += 60_000
    worker.step(0)  # writes the tick, and goes away
    plant.now_ms += 1
    next_owner = plant.worker(Clockwork())
    next_owner.step(0)
    plant.drain(next_owner)
    assert ticks(plant) >= 1
    assert done(plant) == [b"a"]


@pytest.mark.parametrize("step", [4, 5, 6, 7])
def test_a_kill_around_a_tick_loses_nothing_and_doubles_nothing(plant: Plant, step: int) -> None:
    plant.feed([(b"a", at(plant, 0))])
    seen = 0

    def dies(now: int) -> None:
        nonlocal seen
        seen += now == step
        if seen == 2:  # the first batch scheduled it, the second writes the tick
            raise KilledError

    with pytest.raises(KilledError):
        plant.drain(plant.worker(Clockwork(), at=dies))
    plant.kill()
    plant.drain(plant.worker(Clockwork()))
    assert done(plant) == [b"a"]
    assert plant.state() == plant.table() == {}


def test_after_an_unknown_result_a_tick_still_comes(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 0))])
    results = iter([False, True])

    def lost_answer(step: int) -> None:
        if step == 6 and next(results, False):
            raise UnknownError("no answer")

    plant.drain(plant.worker(Clockwork(), at=lost_answer))
    assert done(plant) == [b"a"]


def test_a_clock_that_goes_back_brings_no_ticks_until_it_is_there_again(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 60))])
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    plant.now_ms += 60_000
    worker.step(0)  # the tick is written
    plant.now_ms -= 10**9
    plant.feed([(b"b", at(plant, 10))])
    plant.drain(worker)
    assert done(plant) == [b"a"]
    assert ticks(plant) == 1
    plant.now_ms += 10_000
    plant.drain(worker)
    assert done(plant) == [b"a", b"b"]


def test_a_tick_that_is_rejected_is_followed_by_the_next_after_pauses_that_grow(plant: Plant) -> None:
    now = 0.0
    plant.feed([(b"a", at(plant, 0))])
    processor = Clockwork(rejects=True)
    worker = plant.worker(processor, clock=lambda: now)
    plant.drain(worker)
    written = [ticks(plant)]
    for pause in (0.9, 0.2, 1.7, 0.4, 3.5, 0.6):
        now += pause
        plant.drain(worker)
        written.append(ticks(plant))
    assert written == [1, 1, 2, 2, 3, 3, 4]
    assert worker.counts.dead_letters == {"bad": 4}
    assert worker.parked == {Inbox("in", 0): 0, Inbox("in", 1): 0}, "the next tick does the same: none is kept to be tried"
    processor.rejects = False
    now += 1000
    plant.drain(worker)
    assert done(plant) == [b"a"]


def test_an_operators_tick_does_all_of_it_now(plant: Plant) -> None:
    plant.feed([(b"k%d" % n, at(plant, 10**6)) for n in range(7)])
    worker = plant.worker(Clockwork())
    plant.drain(worker)
    plant.tick(everything=True)
    plant.drain(worker)
    assert sorted(done(plant)) == [b"k%d" % n for n in range(7)]


def test_a_stopped_partition_gets_no_ticks(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 60)), (b"a", b"stop 0")])

    class Stops(Clockwork):
        def process(self, message: Message, store: Store, out: Outbox) -> None:
            if message.value == b"stop 0":
                raise MemoryError
            super().process(message, store, out)

    worker = plant.worker(Stops())
    plant.drain(worker)
    assert worker.stopped
    plant.now_ms += 60_000
    plant.drain(worker)
    assert ticks(plant) == 0


def test_a_tick_takes_no_offset_along_of_a_batch_that_was_given_up(plant: Plant) -> None:
    first, second = (next(b"k%d" % n for n in range(50) if partition_of(b"k%d" % n, 2) == p) for p in range(2))

    class Greedy(Clockwork):
        def process(self, message: Message, store: Store, out: Outbox) -> None:
            if message.value == b"memory 0":
                raise MemoryError
            super().process(message, store, out)

    plant.feed([(second, at(plant, 60))])
    worker = plant.worker(Greedy())
    plant.drain(worker)
    plant.feed([(first, b"memory 0"), (first, at(plant, 0))])
    plant.drain(worker)
    assert worker.stopped.keys() == {"in/0"}
    plant.now_ms += 60_000
    plant.drain(worker)
    assert done(plant) == [second]
    assert plant.log.offset("counter", plant.log.topic("in"), 0) == 0


def test_a_partition_that_is_being_restored_gets_no_ticks(plant: Plant) -> None:
    plant.feed([(b"a", at(plant, 0))])
    first = plant.worker(Clockwork(), at=lambda step: None)
    while not first.counts.batches:
        first.step(0)
    second = plant.worker(Clockwork())
    second.step(0)
    assert second.restoring
    assert ticks(plant) == 0


def test_a_processor_without_a_store_gets_no_ticks_but_takes_a_message_without_a_key(plant: Plant) -> None:
    class Forward(Clockwork):
        def process(self, message: Message, store: Store, out: Outbox) -> None:
            out.send("out", message.key, message.value)

    plant.tick()
    session = EmbeddedSession(plant.log, "counter", ["in"])
    plant.drain(Worker(Forward(), session, None, limits=Limits(messages=10)))
    assert len(plant.sent()) == 2
