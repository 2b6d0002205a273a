from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedLog, EmbeddedSession
from connectors.logs.partitioner import partition_of
from schemas.messages import TICK, Tick, UnknownVersionError
from schemas.topics import DEAD_LETTERS, LARGEST_VALUE_BYTES, TopicSpec
from streams.engine.contract import (
    ENGINE,
    DamagedStoreError,
    Message,
    Outbox,
    Processor,
    RejectedError,
    SourceStoppedError,
    Store,
    TransientError,
)
from streams.engine.dead_letters import LARGEST_BYTES, PREFIX, reason_of
from streams.engine.log import Inbox, UnknownError
from streams.engine.outbox import Outgoing
from streams.engine.runtime import Limits, Worker
from streams.engine.store import Sync
from tests.fakes import MemoryStore

TOPICS = [
    TopicSpec("in", 2, compacted=False, retention_ms=-1, max_message_bytes=1000),
    TopicSpec("other", 1, compacted=False, retention_ms=-1, max_message_bytes=1000),
    TopicSpec("out", 1, compacted=False, retention_ms=-1, max_message_bytes=1000),
    TopicSpec("counter-table", 2, compacted=True, retention_ms=-1, max_message_bytes=1000),
    TopicSpec(DEAD_LETTERS, 1, compacted=False, retention_ms=-1, max_message_bytes=1000),
]

OUTPUTS = 4
"""After so many the fold stops to produce them; batches are of 10 messages."""


class Counter:
    """Counts the messages of each key; sends every count. The value says how to misbehave."""

    name = "counter"

    def __init__(self) -> None:
        self.transient_failures = 0

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([m.key for m in batch if m.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if message.key is None:
            return  # a tick
        count = int(store.get(message.key) or b"0") + 1
        store.put(message.key, b"%d" % count)
        out.send("out", message.key, b"%d" % count)
        if message.value == b"part":
            out.refuse("bad", "a part of it")
        if message.value == b"reject":
            raise RejectedError("bad", "on purpose")
        if message.value == b"crash":
            raise ValueError("customer " + "Ada".upper())
        if message.value == b"stop":
            raise SourceStoppedError("too many")
        if message.value == b"newer":
            raise UnknownVersionError("version 9")
        if message.value == b"retry" and self.transient_failures:
            self.transient_failures -= 1
            raise TransientError("registry away")


class KilledError(BaseException):
    """The process is gone."""


@dataclass
class Disk:
    """Stores that survive a kill, in memory."""

    rows: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    syncs: dict[int, Sync | None] = field(default_factory=dict)

    def open(self, partition: int) -> DiskStore:
        self.rows.setdefault(partition, {})
        return DiskStore(self, partition)

    def rebuild(self, partition: int) -> DiskStore:
        self.rows[partition] = {}
        self.syncs[partition] = None
        return self.open(partition)


class DiskStore:
    def __init__(self, disk: Disk, partition: int) -> None:
        self._disk = disk
        self._partition = partition
        self._view = MemoryStore(disk.rows[partition])

    @property
    def sync(self) -> Sync | None:
        return self._disk.syncs.get(self._partition)

    def get(self, key: bytes) -> bytes | None:
        return self._view.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return self._view.get_many(keys)

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self._view.scan(prefix, after)

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        for key, value in rows.items():
            if value is None:
                self._view.delete(key)
            else:
                self._view.put(key, value)
        self._disk.syncs[self._partition] = sync

    def close(self) -> None:
        pass


class Plant:
    """A log on disk, the stores, and workers that are started and killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.disk = Disk()
        self.now_ms = 1_700_000_000_000
        self.fed = 0  # messages of the inbox that are not the engine's own
        self.log = EmbeddedLog(path)
        self.log.create(TOPICS)

    def feed(self, messages: Sequence[tuple[bytes, bytes]], topic: str = "in") -> None:
        self.fed += len(messages) * (topic == "in")
        self.log.begin()
        self.log.append((Outgoing(topic, key, value), self.now_ms) for key, value in messages)
        self.log.commit()

    def tick(self, *, everything: bool = False) -> None:
        """As an operator's command sends it to each partition."""
        value = TICK.encode(Tick(time=self.now_ms, everything=everything))
        self.log.begin()
        self.log.append((Outgoing("in", None, value, (), partition), self.now_ms) for partition in range(2))
        self.log.commit()
        self.fed += 2

    def worker(
        self,
        processor: Processor | None = None,
        at: Callable[[int], None] = lambda step: None,
        batch: int = 10,
        topics: Sequence[str] = ("in",),
        clock: Callable[[], float] = lambda: 0.0,
    ) -> Worker:
        session = EmbeddedSession(self.log, "counter", topics, purge=True)
        limits = Limits(messages=batch, outputs=OUTPUTS, retry_seconds=0.0)
        return Worker(
            processor or Counter(), session, self.disk, limits=limits, at=at, clock=clock, wall_ms=lambda: self.now_ms
        )

    def kill(self) -> None:
        """The process dies: what SQLite had not committed is rolled back."""
        self.log.close()
        self.log = EmbeddedLog(self.path)

    def drain(self, worker: Worker) -> None:
        idle = 0
        while idle < 3:  # the first step only brings the partitions, the next one restores
            idle = 0 if worker.step(0) or worker.restoring else idle + 1

    def sent(self) -> list[tuple[bytes | None, bytes | None]]:
        return [(m.key, m.value) for m in self.log.messages("out")]

    def state(self) -> dict[bytes, bytes]:
        """Rows of processors in all stores."""
        return {key: value for rows in self.disk.rows.values() for key, value in rows.items() if not key.startswith(ENGINE)}

    def table(self) -> dict[bytes, bytes]:
        rows = {m.key: m.value for m in self.log.messages("counter-table") if m.key is not None}
        return {key: value for key, value in rows.items() if value is not None and not key.startswith(ENGINE)}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


def counting(messages: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    seen: dict[bytes, int] = {}
    result = []
    for key, _ in messages:
        seen[key] = seen.get(key, 0) + 1
        result.append((key, b"%d" % seen[key]))
    return result


MESSAGES = [(b"k%d" % (n % 3), b"v") for n in range(25)]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("batch_number", [1, 2])
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(plant: Plant, step: int, batch_number: int) -> None:
    plant.feed(MESSAGES)
    passed = 0

    def dies(at: int) -> None:
        nonlocal passed
        passed += at == step
        if at == step and passed == batch_number:
            raise KilledError

    with pytest.raises(KilledError):
        plant.drain(plant.worker(at=dies))
    plant.kill()
    plant.drain(plant.worker())

    expected = counting(MESSAGES)
    assert sorted(plant.sent()) == sorted(expected)
    for key in {key for key, _ in MESSAGES}:
        assert [v for k, v in plant.sent() if k == key] == [v for k, v in expected if k == key]
    assert plant.state() == plant.table() == dict(expected)


def test_a_wiped_store_is_rebuilt_from_its_table_topic(plant: Plant) -> None:
    plant.feed(MESSAGES)
    plant.drain(plant.worker())
    plant.disk = Disk()
    plant.log.compact(plant.now_ms)
    plant.feed([(b"k0", b"v")])
    plant.drain(plant.worker())
    assert plant.state() == dict(counting([*MESSAGES, (b"k0", b"v")]))


def test_a_warm_store_reads_only_what_it_has_missed(plant: Plant) -> None:
    plant.feed(MESSAGES)
    plant.drain(plant.worker())
    worker = plant.worker()
    worker.step(0)
    assert {p.total for p in worker.restoring.values()} == {0}


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        (Sync("another topic", 1, 0), "of another topic"),
        (Sync("", 10_000, 0), "ahead of its topic"),
        (Sync("", 1, 1_700_000_000_000 - 4 * 24 * 3_600_000), "too old"),
    ],
)
def test_a_store_that_cannot_be_trusted_is_set_aside(plant: Plant, spoilt: Sync, what: str) -> None:
    plant.feed(MESSAGES)
    plant.drain(plant.worker())
    unique = plant.log.topic("counter-table").uuid
    for partition in plant.disk.rows:
        plant.disk.rows[partition][b"ghost"] = what.encode()
        plant.disk.syncs[partition] = Sync(spoilt.topic_id or unique, spoilt.offset, spoilt.timestamp)
    plant.drain(plant.worker())
    assert plant.state() == dict(counting(MESSAGES))


def test_a_rejected_message_is_undone_alone_and_kept_whole(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"a", b"reject"), (b"a", b"crash"), (b"a", b"v")])
    worker = plant.worker()
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2")]
    assert plant.state() == {b"a": b"2"}
    letters = list(plant.log.messages(DEAD_LETTERS))
    assert [(m.key, m.value, reason_of(m.headers)) for m in letters] == [
        (b"a", b"reject", "bad"),
        (b"a", b"crash", "processor-error"),
    ]
    headers = dict(letters[0].headers)
    assert headers[PREFIX + "topic"] == b"in"
    assert headers[PREFIX + "offset"] == b"1"
    assert headers[PREFIX + "exception.message"] == b"on purpose"
    assert worker.counts.dead_letters == {"bad": 1, "processor-error": 1}


def test_dead_letters_are_told_once_they_are_committed_however_often_their_batch_was_done(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.feed([(b"a", b"reject"), (b"b", b"retry"), (b"a", b"v"), (b"a", b"reject")])
    processor = Counter()
    processor.transient_failures = 2
    worker = plant.worker(processor)
    plant.drain(worker)
    told = [line for line in caplog.messages if "dead letter" in line]
    assert told == ["counter: 2 dead letters, the latest of in: bad, on purpose (in/0/3)"]
    worker.close()


class FailsToPrepare(Counter):
    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        raise ValueError("one of them")


def test_a_batch_that_cannot_be_prepared_is_processed_all_the_same(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"a", b"reject"), (b"a", b"v")])
    plant.drain(plant.worker(FailsToPrepare()))
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2")]


def test_the_text_of_an_unforeseen_error_reaches_neither_log_nor_dead_letter(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.feed([(b"a", b"crash")])
    plant.drain(plant.worker())
    (letter,) = plant.log.messages(DEAD_LETTERS)
    assert dict(letter.headers)[PREFIX + "exception.message"] == b"ValueError"
    assert "ValueError" in caplog.text
    assert "ADA" not in caplog.text


@pytest.mark.parametrize(("value", "place"), [(b"stop", "in"), (b"newer", "in/0")])
def test_what_is_stopped_keeps_its_place_while_others_go_on(plant: Plant, value: bytes, place: str) -> None:
    plant.feed([(b"a", b"v"), (b"a", value), (b"a", b"v")])
    plant.feed([(b"o", b"v")] * 3, "other")
    worker = plant.worker(topics=("in", "other"))
    plant.drain(worker)
    assert set(worker.stopped) == {place}
    assert sorted(plant.sent()) == [(b"a", b"1"), (b"o", b"1"), (b"o", b"2"), (b"o", b"3")]
    inbox = plant.log.topic("in")
    assert sum(plant.log.offset("counter", inbox, p) for p in range(2)) == 1
    assert list(plant.log.messages(DEAD_LETTERS)) == []


@pytest.mark.parametrize("value", [b"stop", b"newer"])
def test_what_was_polled_behind_a_stop_is_read_again_after_it(plant: Plant, value: bytes) -> None:
    messages = [(b"a", b"v"), (b"a", value), *[(b"a", b"%d" % n) for n in range(8)]]
    plant.feed(messages)
    plant.feed([(b"o", b"v")], "other")
    limits = Limits(messages=10, bytes=12)  # a batch holds some of those polled, the others are left for the next
    session = EmbeddedSession(plant.log, "counter", ("in", "other"))
    worker = Worker(Counter(), session, plant.disk, limits=limits, wall_ms=lambda: plant.now_ms)
    plant.drain(worker)
    assert sorted(plant.sent()) == [(b"a", b"1"), (b"o", b"1")]
    assert sum(plant.log.offset("counter", plant.log.topic("in"), p) for p in range(2)) == 1

    class Mended(Counter):
        def process(self, message: Message, store: Store, out: Outbox) -> None:
            out.send("out", message.key, message.value)

    plant.drain(plant.worker(Mended()))
    assert plant.sent()[2:] == messages[1:]


def test_a_stop_holds_for_every_partition_of_its_topic(plant: Plant) -> None:
    first, second = (next(b"k%d" % n for n in range(50) if partition_of(b"k%d" % n, 2) == p) for p in range(2))
    plant.feed([(first, b"stop"), *[(second, b"vvvv")] * 9])
    session = EmbeddedSession(plant.log, "counter", ("in",))
    worker = Worker(Counter(), session, plant.disk, limits=Limits(messages=10, bytes=12), wall_ms=lambda: plant.now_ms)
    plant.drain(worker)
    assert [plant.log.offset("counter", plant.log.topic("in"), p) for p in range(2)] == [0, 0]


def test_a_message_that_leads_to_more_than_the_log_takes_is_a_dead_letter(plant: Plant) -> None:
    class Swells(Counter):
        def process(self, message: Message, store: Store, out: Outbox) -> None:
            super().process(message, store, out)
            if message.value == b"swell":
                out.send("out", b"a", b"x" * (LARGEST_VALUE_BYTES + 1))

    plant.feed([(b"a", b"v"), (b"a", b"swell"), (b"a", b"v")])
    worker = plant.worker(Swells())
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2")]
    assert plant.state() == {b"a": b"2"}
    assert worker.counts.dead_letters == {"too-large": 1}


class Contradicted(Counter):
    """Expects a row that its messages say was written."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if message.value == b"again" and store.get(b"a") is None:
            raise DamagedStoreError("row a is missing")
        super().process(message, store, out)


def test_a_store_whose_rows_contradict_each_other_is_rebuilt(plant: Plant) -> None:
    worker = plant.worker(Contradicted())
    plant.feed([(b"a", b"v")])
    plant.drain(worker)
    for rows in plant.disk.rows.values():
        rows.clear()
    plant.feed([(b"a", b"again")])
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2")]
    assert plant.state() == plant.table() == {b"a": b"2"}
    assert worker.counts.dead_letters == {}


def test_what_a_rebuilt_store_contradicts_as_well_is_a_dead_letter(plant: Plant) -> None:
    worker = plant.worker(Contradicted())
    plant.feed([(b"a", b"again"), (b"b", b"v")])
    plant.drain(worker)
    assert plant.sent() == [(b"b", b"1")]
    assert worker.counts.dead_letters == {"processor-error": 1}


def test_a_traceparent_without_a_value_is_none(plant: Plant) -> None:
    plant.log.begin()
    plant.log.append([(Outgoing("in", b"a", b"crash", (("traceparent", None),)), plant.now_ms)])
    plant.log.commit()
    plant.drain(plant.worker())
    (letter,) = plant.log.messages(DEAD_LETTERS)
    assert letter.headers[0] == ("traceparent", None)


def test_a_message_of_which_a_part_is_refused_is_kept_whole_and_the_rest_of_it_goes_on(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"a", b"part"), (b"a", b"v")])
    worker = plant.worker()
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2"), (b"a", b"3")]
    (letter,) = plant.log.messages(DEAD_LETTERS)
    assert (letter.key, letter.value, reason_of(letter.headers)) == (b"a", b"part", "bad")
    assert dict(letter.headers)[PREFIX + "exception.message"] == b"a part of it"
    assert worker.counts.dead_letters == {"bad": 1}


def test_a_message_too_large_to_be_kept_for_its_refused_part_is_not_processed_at_all(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"l" * LARGEST_BYTES, b"part")], "other")
    worker = plant.worker(topics=("other",))
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1")]
    assert plant.log.offset("counter", plant.log.topic("other"), 0) == 1
    assert set(worker.stopped) == {"other/0"}


def test_a_message_too_large_for_a_dead_letter_stops_its_partition_alone(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    fits, too_large = b"f" * (LARGEST_BYTES - 1_000), b"l" * LARGEST_BYTES
    plant.feed([(b"a", b"v"), (fits, b"reject"), (too_large, b"reject"), (b"a", b"v")], "other")
    plant.feed([(b"o", b"v")] * 3)
    worker = plant.worker(topics=("in", "other"))
    plant.drain(worker)
    assert plant.sent() == [(b"a", b"1"), (b"o", b"1"), (b"o", b"2"), (b"o", b"3")]
    assert [letter.key for letter in plant.log.messages(DEAD_LETTERS)] == [fits]
    assert plant.log.offset("counter", plant.log.topic("other"), 0) == 2
    assert set(worker.stopped) == {"other/0"}
    assert "stopped reading other/0 at other/0/2: bad: on purpose; with 10,4" in caplog.text
    assert worker.counts.dead_letters == {"bad": 1}


def test_a_batch_is_done_again_while_something_outside_is_away(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"a", b"retry"), (b"a", b"v")])
    processor = Counter()
    processor.transient_failures = 3
    worker = plant.worker(processor)
    for _ in range(20):
        worker.step(0)
    assert plant.sent() == [(b"a", b"1"), (b"a", b"2"), (b"a", b"3")]
    assert worker.counts.retries == 3


def test_outputs_are_produced_before_the_batch_is_folded_and_given_up_with_it(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    produced: list[int] = []
    produce = EmbeddedSession.produce

    def noted(self: EmbeddedSession, outgoing: Iterable[Outgoing]) -> None:
        items = list(outgoing)
        produced.append(len(items))
        produce(self, items)

    monkeypatch.setattr(EmbeddedSession, "produce", noted)
    processor = Counter()
    processor.transient_failures = 1
    messages = [*MESSAGES[:7], (b"k1", b"retry"), *MESSAGES[:2]]
    plant.feed(messages)
    plant.drain(plant.worker(processor))
    assert sum(produced) > len(messages)  # the first try had produced some when it failed
    assert max(produced) == OUTPUTS
    assert sorted(plant.sent()) == sorted(counting(messages))


def test_after_an_unknown_result_the_store_catches_up_with_what_was_committed(plant: Plant) -> None:
    plant.feed(MESSAGES)
    results = iter([True])

    def commits_but_never_hears(step: int) -> None:
        if step == 6 and next(results, False):
            raise UnknownError("timed out")

    worker = plant.worker(at=commits_but_never_hears)
    plant.drain(worker)
    assert worker.counts.retries == 1
    assert sorted(plant.sent()) == sorted(counting(MESSAGES))
    assert plant.state() == plant.table() == dict(counting(MESSAGES))


def test_a_batch_that_takes_too_long_is_cut_and_the_rest_follows(plant: Plant) -> None:
    plant.feed([(b"a", b"v")] * 6)
    time = iter(range(1000))
    worker = plant.worker(clock=lambda: float(next(time)))
    done = [worker.step(0) for _ in range(8)]
    assert max(done) < 6
    assert sum(done) == 6
    assert plant.sent() == [(b"a", b"%d" % n) for n in range(1, 7)]


def test_messages_of_a_revoked_partition_are_dropped(plant: Plant) -> None:
    plant.feed([(b"a", b"v")] * 6)
    time = iter(range(1000))
    worker = plant.worker(clock=lambda: float(next(time)))
    while not worker.step(0):
        pass
    before = len(plant.sent())
    worker.revoked([Inbox("in", 0), Inbox("in", 1)])
    worker.step(0)
    assert len(plant.sent()) == before
