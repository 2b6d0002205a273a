"""A message rejected inside the pipeline is tried again, until it is processed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedSession
from schemas.messages import UnknownVersionError
from schemas.topics import DEAD_LETTERS, LARGEST_VALUE_BYTES
from streams.engine.contract import ENGINE, Headers, Message, Outbox, RejectedError, Store, TransientError
from streams.engine.log import Inbox
from streams.engine.outbox import Outgoing
from streams.engine.parked import MOST_TRIED, PARKED, park, read_tally
from streams.engine.runtime import Limits, Worker
from tests.fakes import MemoryStore, message
from tests.unit.streams.engine.test_runtime import KilledError, Plant

MINUTE_MS, DAY_MS = 60_000, 24 * 3_600_000


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


class Refusing:
    """Refuses messages for a reason, after it has written and sent; sends on what it takes."""

    name = "counter"

    def __init__(self, *refused: bytes) -> None:
        self.refused = set(refused)
        self.error: Exception = RejectedError("not-yet", "what it needs is not there")
        self.met: list[Message] = []

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        self.met.append(message)
        if message.key is None:
            return  # a tick
        assert message.value is not None
        store.put(message.key, message.value[:10])
        out.send("out", message.key, message.value[:10])
        if message.value[:10] in self.refused:
            raise self.error


def parked(worker: Worker) -> int:
    return sum(worker.parked.values())


def left_of_the_engine(plant: Plant) -> set[bytes]:
    """Rows of the engine, but for the tally."""
    return {key for rows in plant.disk.rows.values() for key in rows if key.startswith(ENGINE)} - {ENGINE + b"parked"}


def test_a_rejected_message_is_tried_again_after_a_minute_and_leaves_when_it_is_processed(plant: Plant) -> None:
    processor = Refusing(b"early")
    worker = plant.worker(processor)
    plant.feed([(b"a", b"early"), (b"b", b"v")])
    plant.drain(worker)
    assert plant.sent() == [(b"b", b"v")]
    assert (parked(worker), len(list(plant.log.messages(DEAD_LETTERS)))) == (1, 1)
    processor.refused.clear()
    plant.now_ms += MINUTE_MS - 1
    plant.drain(worker)
    assert parked(worker) == 1
    plant.now_ms += 1
    plant.drain(worker)
    assert plant.sent() == [(b"b", b"v"), (b"a", b"early")]
    assert plant.state() == plant.table() == {b"a": b"early", b"b": b"v"}
    assert parked(worker) == 0
    assert left_of_the_engine(plant) == set()
    assert worker.counts.parked_tries == {"done": 1}
    assert len(list(plant.log.messages(DEAD_LETTERS))) == 1


def test_it_is_tried_as_it_came(plant: Plant) -> None:
    headers: Headers = (("traceparent", b"00-x"), ("empty", None))
    processor = Refusing(b"early")
    worker = plant.worker(processor)
    plant.log.begin()
    plant.log.append([(Outgoing("in", b"a", b"early" + b"x" * 3_000_000, headers), plant.now_ms)])
    plant.log.commit()
    processor.refused = {(b"early" + b"x" * 5)}
    plant.drain(worker)
    (first,) = processor.met
    plant.now_ms += MINUTE_MS
    plant.drain(worker)
    again = [message for message in processor.met if message.key is not None]
    assert again == [first, first]


def test_one_that_fails_again_waits_twice_as_long_up_to_a_day_and_is_no_second_dead_letter(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    processor = Refusing(b"never")
    worker = plant.worker(processor)
    plant.feed([(b"a", b"never")])
    plant.drain(worker)
    tried = []
    began = plant.now_ms
    while plant.now_ms < began + 5 * DAY_MS:
        before = worker.counts.parked_tries["failed"]
        plant.now_ms += MINUTE_MS
        worker.step(0)
        worker.step(0)
        if worker.counts.parked_tries["failed"] > before:
            tried.append((plant.now_ms - began) // MINUTE_MS)
    waited = [after - before for before, after in zip([0, *tried], tried, strict=False)]
    assert waited[:5] == [1, 2, 4, 8, 16]
    assert set(waited[11:]) == {24 * 60}
    assert len(list(plant.log.messages(DEAD_LETTERS))) == 1
    assert (plant.sent(), plant.state(), parked(worker)) == ([], {}, 1)
    assert "in/0/0 failed 2 times and stays parked: not-yet" in caplog.text
    assert caplog.text.count("stays parked") == 1, "told now and then: the clock of this worker stands"


def test_an_operators_tick_tries_all_of_them_now_each_once(plant: Plant) -> None:
    count = 2 * MOST_TRIED + 50
    names = [b"early %d" % n for n in range(count)]
    processor = Refusing(*[name[:10] for name in names])
    worker = plant.worker(processor, batch=1_000)
    plant.feed([(b"k%d" % n, name) for n, name in enumerate(names)])
    plant.drain(worker)
    plant.tick(everything=True)
    plant.drain(worker)
    assert worker.counts.parked_tries == {"failed": count}
    plant.tick(everything=True)  # of the same time: as a command's work goes on by messages
    plant.drain(worker)
    assert worker.counts.parked_tries == {"failed": count}
    processor.refused.clear()
    plant.now_ms += 1
    plant.tick(everything=True)
    plant.drain(worker)
    assert sorted(plant.sent()) == sorted((b"k%d" % n, name[:10]) for n, name in enumerate(names))
    assert parked(worker) == 0
    assert left_of_the_engine(plant) == set()


def test_so_many_that_one_tick_cannot_move_them_are_all_tried(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.engine.parked.MOST_HURRIED", 3)
    processor = Refusing(b"early")
    worker = plant.worker(processor)
    plant.feed([(b"k%d" % n, b"early") for n in range(10)])
    plant.drain(worker)
    processor.refused.clear()
    plant.tick(everything=True)
    plant.drain(worker)
    assert len(plant.sent()) == 10
    ticks_seen = [message for message in processor.met if message.key is None]
    assert all(b"parked" not in (message.value or b"") for message in ticks_seen), (
        "its own goings-on are not the processor's"
    )


@pytest.mark.parametrize("error", [ValueError("Ada"), UnknownVersionError("9"), MemoryError()])
def test_whatever_a_try_ends_with_the_tick_and_the_others_go_on(
    plant: Plant, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    processor = Refusing(b"never", b"later")
    worker = plant.worker(processor)
    plant.feed([(b"a", b"never"), (b"b", b"later")])
    plant.drain(worker)
    processor.error, processor.refused = error, {b"never"}
    plant.now_ms += MINUTE_MS
    plant.drain(worker)
    assert plant.sent() == [(b"b", b"later")]
    assert plant.state() == {b"b": b"later"}
    assert worker.counts.parked_tries == {"failed": 1, "done": 1}
    assert (worker.stopped, parked(worker)) == ({}, 1)
    assert [message.key for message in processor.met].count(None) == 1, "the tick itself came through"
    assert "Ada" not in caplog.text


def test_a_registry_that_is_away_is_no_failure_of_a_try(plant: Plant) -> None:
    processor = Refusing(b"early")
    worker = plant.worker(processor)
    plant.feed([(b"a", b"early")])
    plant.drain(worker)
    processor.error = TransientError("away")
    plant.now_ms += MINUTE_MS
    for _ in range(4):
        worker.step(0)
    assert worker.counts.retries
    assert worker.counts.parked_tries == {}
    processor.refused.clear()
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"early")]


@pytest.mark.parametrize("step", [3, 4, 5, 6, 7])
def test_a_kill_around_a_try_loses_nothing_and_doubles_nothing(plant: Plant, step: int) -> None:
    processor = Refusing(b"early")
    plant.feed([(b"a", b"early")])
    plant.drain(plant.worker(processor))
    processor.refused.clear()
    plant.now_ms += MINUTE_MS
    seen = 0

    def dies(now: int) -> None:
        nonlocal seen
        seen += now == step
        if seen == 2:  # the first batch writes the tick
            raise KilledError

    with pytest.raises(KilledError):
        plant.drain(plant.worker(processor, at=dies))
    plant.kill()
    worker = plant.worker(processor)
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"early")]
    assert parked(worker) == 0


def test_what_is_parked_goes_with_its_partition(plant: Plant) -> None:
    processor = Refusing(b"early")
    plant.feed([(b"a", b"early")])
    plant.drain(plant.worker(processor))
    plant.disk.rows.clear()
    plant.disk.syncs.clear()
    worker = plant.worker(processor)
    plant.drain(worker)
    assert sorted(worker.parked.items()) == [(Inbox("in", 0), 1), (Inbox("in", 1), 0)]


def test_the_largest_message_is_parked_whole(plant: Plant) -> None:
    value = b"early".ljust(LARGEST_VALUE_BYTES, b"x")
    processor = Refusing(value[:10])
    worker = plant.worker(processor)
    plant.feed([(b"a", value)])
    plant.drain(worker)
    assert max(len(row) for rows in plant.disk.rows.values() for row in rows.values()) < 2 << 20
    processor.refused.clear()
    plant.now_ms += MINUTE_MS
    plant.drain(worker)
    assert processor.met[-1].value == value or processor.met[-2].value == value
    assert left_of_the_engine(plant) == set()


def test_the_same_message_refused_once_more_is_still_one() -> None:
    store, refused = MemoryStore(), message(b"early", b"a", topic="in", offset=7)
    park(store, refused, "not-yet", 0)
    park(store, refused, "not-yet", 1)
    assert read_tally(store.get(PARKED)).count == 1


def test_a_source_event_is_not_parked(plant: Plant) -> None:
    plant.feed([(b"a", b"never")])
    worker = Worker(Refusing(b"never"), EmbeddedSession(plant.log, "counter", ["in"]), None, limits=Limits(messages=10))
    plant.drain(worker)
    assert worker.parked == {}
    assert worker.counts.dead_letters == {"not-yet": 1}
