from __future__ import annotations

import pytest

from streams.app.health import POLLED_SECONDS, STALLED_SECONDS, STANDBY_SECONDS, health
from streams.app.watch import Snapshot, Watch
from streams.engine.log import Inbox

HERE = Inbox("records", 0)
THERE = Inbox("records", 1)
RUNNING = Snapshot(1_000.0, partitions=(HERE, THERE), polled=True)


def watching(snapshot: Snapshot, started: float = 0.0, processor: str = "records") -> Watch:
    watch = Watch(processor, clock=lambda: started)
    watch.snapshot = snapshot
    return watch


def test_a_processor_that_polls_restored_partitions_is_live_and_ready() -> None:
    found = health(watching(RUNNING), 1_001.0)
    assert (found.live, found.ready, found.why) == (True, True, "")
    assert (found.partitions, found.restoring) == (2, 0)


@pytest.mark.parametrize(
    ("snapshot", "now", "why"),
    [
        (Snapshot(1_000.0), 1_001.0, "has not polled yet"),
        (Snapshot(1_000.0, trouble="the registry is away"), 1_001.0, "the registry is away"),
        (RUNNING, 1_001.0 + POLLED_SECONDS, "has not polled for 16 s"),
        (RUNNING._replace(restoring=(THERE,)), 1_001.0, "restores 1 of 2 partitions"),
        (RUNNING._replace(trouble="Kafka does not answer"), 1_001.0, "Kafka does not answer"),
    ],
)
def test_a_processor_that_is_not_ready_says_why_and_is_live(snapshot: Snapshot, now: float, why: str) -> None:
    found = health(watching(snapshot), now)
    assert (found.ready, found.why, found.live) == (False, why, True)


def test_a_stopped_source_is_told_but_leaves_the_processor_ready() -> None:
    found = health(watching(RUNNING._replace(stopped=(("crm", "too many dead letters"),)), processor="intake"), 1_001.0)
    assert found.ready
    assert found.stopped_sources == {"crm": "too many dead letters"}


def test_a_processor_that_cannot_read_all_of_its_own_inbox_is_not_ready() -> None:
    found = health(watching(RUNNING._replace(stopped=(("records", "5 offsets were deleted"),))), 1_001.0)
    assert (found.ready, found.why) == (False, "records: 5 offsets were deleted")


def test_paths_that_no_event_has_are_told_by_topic() -> None:
    found = health(watching(RUNNING._replace(absent=(("crm", "email"), ("crm", "phone"), ("shop", "name")))), 1_001.0)
    assert found.ready
    assert found.absent_paths == {"crm": ["email", "phone"], "shop": ["name"]}


def test_a_processor_that_does_not_come_back_from_a_step_is_not_live() -> None:
    assert health(watching(RUNNING), 999.0 + STALLED_SECONDS).live
    assert not health(watching(RUNNING), 1_000.0 + STALLED_SECONDS).live


def test_an_instance_without_partitions_is_ready_once_it_has_none_to_expect() -> None:
    spare = Snapshot(1_000.0, polled=True)
    assert not health(watching(spare, started=1_000.0 - STANDBY_SECONDS + 2), 1_001.0).ready
    assert health(watching(spare, started=1_000.0 - STANDBY_SECONDS), 1_001.0).ready
