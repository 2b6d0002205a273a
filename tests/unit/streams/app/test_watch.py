from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import pytest

from connectors.mappings.reading import Reading, Unread
from streams.app.figures import Distribution
from streams.app.watch import MOST_SAMPLED, PUBLISH_SECONDS, Watch
from streams.customers import rows as customer_rows
from streams.engine import metrics
from streams.engine.contract import Message, Outbox, Store
from streams.engine.log import Inbox
from streams.engine.metrics import Metric
from streams.engine.overlay import Backing, NoBacking
from streams.engine.runtime import Counts, Worker
from streams.engine.store import Progress
from streams.identity.rows import REALM, RECORD, Keys, RealmRow, RecordRow
from streams.intake import Intake
from streams.records import BY_SOURCE, TALLIES, TALLY_KEY, Tally
from tests.fakes import MemoryStore, RecordingOutbox
from tests.unit.streams.engine.test_runtime import Counter, Plant


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "log.db")


def no_lags() -> Mapping[Inbox, int]:
    return {}


def values(watch: Watch, metric: Metric) -> dict[tuple[str, ...], float]:
    found = [sample for sample in watch.snapshot.samples if sample.metric is metric]
    return {sample.labels: sample.value for sample in found if not isinstance(sample.value, Distribution)}


def counts(watch: Watch, metric: Metric) -> dict[tuple[str, ...], int]:
    found = [sample for sample in watch.snapshot.samples if sample.metric is metric]
    return {sample.labels: sample.value.cumulative[-1] for sample in found if isinstance(sample.value, Distribution)}


def run(plant: Plant, watch: Watch, lags: Callable[[], Mapping[Inbox, int]] = no_lags, batch: int = 10) -> Worker:
    worker = plant.worker(watch.around(Counter()), at=watch.at, batch=batch)
    plant.drain(worker)
    watch.publish(worker, lags, now=True)
    return worker


def test_a_watched_processor_does_what_it_does_unwatched(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"b", b"v"), (b"a", b"v")])
    run(plant, Watch("counter"))
    assert sorted(plant.sent()) == [(b"a", b"1"), (b"a", b"2"), (b"b", b"1")]


def test_what_was_committed_is_counted_and_every_step_timed(plant: Plant) -> None:
    plant.feed([(b"a", b"v")] * 25 + [(b"a", b"reject")])
    watch = Watch("counter")
    worker = run(plant, watch)
    batches = worker.counts.batches
    assert values(watch, metrics.MESSAGES) == {("counter",): 26}
    assert values(watch, metrics.BATCHES) == {("counter",): batches}
    assert values(watch, metrics.DEAD_LETTERS) == {("counter", "bad"): 1}
    steps = ("begin", "fold", "produce", "offsets", "commit", "apply")
    assert counts(watch, metrics.STEP_SECONDS) == {("counter", step): batches for step in steps}
    assert counts(watch, metrics.BATCH_MESSAGES) == {("counter",): batches}


def test_a_batch_that_fails_before_its_commit_is_no_hop(plant: Plant) -> None:
    plant.feed([(b"a", b"v")])
    watch = Watch("counter")
    broken = [True]

    def at(step: int) -> None:
        watch.at(step)
        if step == 4 and broken:
            broken.clear()
            raise TransientFault

    worker = plant.worker(watch.around(Counter()), at=at)
    with pytest.raises(TransientFault):
        plant.drain(worker)
    watch.publish(worker, no_lags, now=True)
    assert counts(watch, metrics.HOP_SECONDS) == {}
    assert counts(watch, metrics.STEP_SECONDS)["counter", "fold"] == 1


def test_a_batch_done_again_is_one_hop() -> None:
    watch = Watch("notify", int, wall_ms=lambda: 1_500)
    for _ in range(2):
        watch.at(1)
        watch.look([message(0)])
    watch.at(6)
    (hops,) = [sample.value for sample in watch._figures.samples() if sample.metric is metrics.HOP_SECONDS]
    assert isinstance(hops, Distribution)
    assert hops.cumulative[-1] == 1


class TransientFault(Exception):  # noqa: N818 - not one the runtime knows
    pass


def test_a_hop_is_the_age_of_the_oldest_message_when_its_batch_is_committed(plant: Plant) -> None:
    plant.feed([(b"a", b"v")])
    watch = Watch("counter", wall_ms=lambda: plant.now_ms + 250)
    run(plant, watch)
    (sample,) = [s for s in watch.snapshot.samples if s.metric is metrics.HOP_SECONDS]
    assert isinstance(sample.value, Distribution)
    assert sample.value.total == pytest.approx(0.25)


def test_partitions_are_told_with_their_lag_and_not_after_they_have_gone(plant: Plant) -> None:
    plant.feed([(b"a", b"v")])
    watch = Watch("counter")
    worker = run(plant, watch, lambda: {Inbox("in", 0): 7})
    assert values(watch, metrics.LAG) == {("counter", "in", "0"): 7}
    assert values(watch, metrics.RESTORED) == {("counter", "in", "0"): 1.0, ("counter", "in", "1"): 1.0}
    assert set(watch.snapshot.partitions) == {Inbox("in", 0), Inbox("in", 1)}
    worker.revoked([Inbox("in", 0)])
    watch.publish(worker, lambda: {Inbox("in", 0): 7}, now=True)
    assert values(watch, metrics.LAG) == {}
    assert values(watch, metrics.RESTORED) == {("counter", "in", "1"): 1.0}


@dataclass
class Restoring:
    """A worker that has two stores to restore, and one done."""

    restoring: dict[Inbox, Progress]
    partitions = (Inbox("in", 0), Inbox("in", 1), Inbox("in", 2))
    counts = Counts()
    stopped: ClassVar[dict[str, str]] = {}
    waiting: ClassVar[dict[str, str]] = {}
    parked: ClassVar[dict[Inbox, int]] = {Inbox("in", 2): 4}
    trouble = "the log does not answer"

    def rows(self, inbox: Inbox) -> Backing:
        return NoBacking()


def test_a_restore_is_told_while_it_goes_on() -> None:
    watch = Watch("counter")
    worker = Restoring({Inbox("in", 0): Progress(30, 40), Inbox("in", 1): Progress(0, 0)})
    watch.publish(cast(Worker, worker), lambda: {Inbox("in", 0): 7, Inbox("in", 2): 3})
    assert values(watch, metrics.RESTORED) == {
        ("counter", "in", "0"): 0.75,
        ("counter", "in", "1"): 0.0,
        ("counter", "in", "2"): 1.0,
    }
    assert values(watch, metrics.RESTORE_LEFT) == {("counter", "in", "0"): 10}
    assert values(watch, metrics.LAG) == {("counter", "in", "2"): 3}
    assert values(watch, metrics.PARKED) == {("counter", "2"): 4}
    assert watch.snapshot.restoring == (Inbox("in", 0), Inbox("in", 1))
    assert watch.snapshot.trouble == "the log does not answer"


def test_a_stopped_source_and_why_are_told(plant: Plant) -> None:
    plant.feed([(b"a", b"v"), (b"a", b"stop")])
    watch = Watch("counter")
    run(plant, watch)
    assert values(watch, metrics.STOPPED_SOURCES) == {("counter", "in", ""): 1}
    assert dict(watch.snapshot.stopped) == {"in": "at in/0/1: too many"}


def test_a_topic_that_the_session_cannot_read_is_told_until_it_can(plant: Plant) -> None:
    watch = Watch("counter")
    worker = plant.worker(watch.around(Counter()))
    lost = {"in/1": "5 offsets were deleted"}
    watch.publish(worker, no_lags, lambda: lost, lambda: {"in": 2})
    assert dict(watch.snapshot.stopped) == lost
    assert values(watch, metrics.STOPPED_SOURCES) == {("counter", "in", "1"): 1}
    watch.publish(worker, no_lags, now=True)
    assert watch.snapshot.stopped == ()
    assert values(watch, metrics.STOPPED_SOURCES) == {}
    assert values(watch, metrics.READ_AGAIN) == {("counter", "in"): 2}


def test_figures_are_published_once_a_second_and_the_first_at_once(plant: Plant) -> None:
    clock = Clock()
    watch = Watch("counter", clock=clock)
    worker = plant.worker(watch.around(Counter()), at=watch.at)
    watch.publish(worker, no_lags)
    assert watch.snapshot.polled
    first = watch.snapshot
    clock.now += PUBLISH_SECONDS / 2
    watch.publish(worker, no_lags)
    assert watch.snapshot is first
    clock.now += PUBLISH_SECONDS
    watch.publish(worker, no_lags)
    assert watch.snapshot.at == clock.now


def message(offset: int, value: bytes | None = b"500") -> Message:
    return Message("customer-changes", 0, offset, b"c", value, (), 0)


@pytest.mark.parametrize(("size", "sampled"), [(1, 1), (49, 1), (100, 3), (10_000, MOST_SAMPLED)])
def test_notifications_are_sampled_and_measured_from_the_sources_time(size: int, sampled: int) -> None:
    watch = Watch("notify", int, wall_ms=lambda: 1_500)
    watch.at(1)
    watch.look([message(offset) for offset in range(size)])
    watch.at(6)
    (sample,) = [s for s in watch._figures.samples() if s.metric is metrics.NOTIFICATION_SECONDS]
    assert isinstance(sample.value, Distribution)
    assert sample.value.cumulative[-1] == sampled
    assert sample.value.total == pytest.approx(sampled * 1.0)


def test_a_change_that_cannot_be_read_is_left_out_and_a_clock_ahead_counts_as_no_delay() -> None:
    watch = Watch("notify", lambda value: None if value == b"bad" else 9_999, wall_ms=lambda: 1_500)
    watch.at(1)
    for value in (b"bad", None, b"ahead"):
        watch.look([message(0, value)])
    watch.at(6)
    (sample,) = [s for s in watch._figures.samples() if s.metric is metrics.NOTIFICATION_SECONDS]
    assert sample.value == Distribution((1,) * (len(metrics.NOTIFICATION_SECONDS.buckets) + 1), 0.0)


class Rows(Counter):
    """A processor whose every message writes the same rows."""

    def __init__(self, rows: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self._rows = rows

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        for key, value in self._rows.items():
            store.put(key, value)


RECORDS = {
    TALLY_KEY: TALLIES.encode(Tally(records=9, events=20, stale=5, partly_stale=2, incomparable=1, backwards=3)),
    BY_SOURCE + b"north/crm": b"4",
    BY_SOURCE + b"south/crm": b"3",
}
IDENTITY = {
    Keys("north").realm: REALM.encode(RealmRow(customers=7, merges=3, splits=1)),
    Keys("north").record("crm/1"): RECORD.encode(RecordRow()),
    Keys("south").realm: REALM.encode(RealmRow(customers=2)),
}


def test_what_the_state_counts_is_told_as_it_was_committed_also_after_a_restart(plant: Plant) -> None:
    plant.feed([(b"a", b"v")])
    for restarted in (False, True):
        watch = Watch("records")
        worker = plant.worker(watch.around(Rows(RECORDS)), at=watch.at)
        plant.drain(worker)
        watch.publish(worker, no_lags, now=True)
        assert worker.counts.messages == (not restarted)
        place = ("records", "0")
        told = values(watch, metrics.STALE)
        assert [told[*place, reason] for reason in ("whole", "partly", "incomparable", "backwards")] == [5, 2, 1, 3]
        assert values(watch, metrics.SOURCE_RECORDS) == {
            (*place, "north", "crm"): 4,
            (*place, "south", "crm"): 3,
            (*place, "", ""): 2,
        }
        worker.close()


def test_customers_merges_and_splits_are_told_by_realm(plant: Plant) -> None:
    plant.feed([(b"a", b"v")])
    watch = Watch("identity")
    worker = plant.worker(watch.around(Rows(IDENTITY)), at=watch.at)
    plant.drain(worker)
    watch.publish(worker, no_lags, now=True)
    north, south = ("identity", "0", "north"), ("identity", "0", "south")
    assert values(watch, metrics.CUSTOMERS) == {north: 7, south: 2}
    assert values(watch, metrics.MERGES) == {north: 3, south: 0}
    assert values(watch, metrics.SPLITS) == {north: 1, south: 0}


class Broken(NoBacking):
    def get(self, key: bytes) -> bytes | None:
        raise OSError


def test_a_store_that_cannot_be_read_is_the_worker_s_matter_not_the_watch_s(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch("records")
    worker = plant.worker(watch.around(Rows(RECORDS)), at=watch.at)
    plant.feed([(b"a", b"v")])
    plant.drain(worker)
    monkeypatch.setattr(worker, "rows", lambda inbox: Broken())
    watch.publish(worker, no_lags, now=True)
    assert values(watch, metrics.SOURCE_RECORDS) == {}
    assert values(watch, metrics.MESSAGES) == {("records",): 1}


class Absent:
    """A source's reader of which two paths are gone."""

    absent: ClassVar[dict[tuple[str, str], int]] = {("in", "email"): 3, ("in", "phone"): 1}

    def begin(self, message: Message) -> None: ...

    def recall(self, topic: str, partition: int, note: str) -> None: ...

    def remember(self, topic: str, partition: int, offset: int) -> str:
        return ""

    def read(self, message: Message) -> Reading:
        return Reading(empty=True, unread=[Unread("crm", "kind", "bad-value", "x")])


def test_what_the_events_of_a_source_lack_is_told(plant: Plant) -> None:
    watch = Watch("intake")
    reader = Absent()
    intake = Intake({"in": reader}, {"north"})
    watch.around(intake)
    for offset in range(2):
        intake.process(Message("in", 0, offset, None, b"", (), 0), MemoryStore(), RecordingOutbox())
    worker = plant.worker()
    watch.publish(worker, no_lags, now=True)
    assert watch.snapshot.absent == (("in", "email"), ("in", "phone"))
    assert values(watch, metrics.ABSENT_PATHS) == {("in", "email"): 1, ("in", "phone"): 1}
    assert values(watch, metrics.UNMAPPED) == {("in",): 2}
    assert values(watch, metrics.UNREAD) == {("crm", "kind"): 2}
    reader.absent = {}  # type: ignore[misc]
    watch.publish(worker, no_lags, now=True)
    assert values(watch, metrics.ABSENT_PATHS) == {}


def test_what_waits_for_an_answer_is_told(plant: Plant) -> None:
    for name, row, metric in (
        ("records", TALLIES.encode(Tally(without_customer=3)), metrics.WITHOUT_CUSTOMER),
        ("customers", customer_rows.TALLIES.encode(customer_rows.Tally(unsettled=3)), metrics.UNSETTLED),
    ):
        plant.feed([(b"a", b"v")])
        watch = Watch(name)
        worker = plant.worker(watch.around(Rows({TALLY_KEY: row})), at=watch.at)
        plant.drain(worker)
        watch.publish(worker, no_lags, now=True)
        assert values(watch, metric) == {(name, "0"): 3}
        worker.close()
