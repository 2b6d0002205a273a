from __future__ import annotations

import gc
import sys
from itertools import islice, pairwise

import pytest

from connectors import simulated
from connectors.simulated import SOURCES, SourceEvent, estimate_events, generate, rates
from connectors.simulated.life import Story
from connectors.simulated.stream import stories
from tests.unit.connectors.simulated.conftest import CUSTOMERS, SEED
from tests.unit.connectors.simulated.reading import record_and_order

SOURCE_OF = {topic: source for source, topic in SOURCES.items()}


def test_exported_names_are_these() -> None:
    assert set(simulated.__all__) == {
        "SOURCES", "AvroDatum", "MissingFakerError", "SourceEvent", "TruthRow", "estimate_events", "generate", "need_faker",
        "source_schema",
    }  # fmt: skip


def test_the_same_arguments_give_the_same_events_and_another_seed_gives_others() -> None:
    assert list(generate(60, 1)) == list(generate(60, 1))
    assert list(generate(60, 1)) != list(generate(60, 2))


def test_a_consumer_may_skip_what_it_has_read(events: list[SourceEvent]) -> None:
    assert list(islice(generate(CUSTOMERS, SEED), 5_000, 5_100)) == events[5_000:5_100]


def test_events_come_in_order_of_time_and_ties_by_topic(events: list[SourceEvent]) -> None:
    assert all((a.timestamp, a.topic) <= (b.timestamp, b.topic) for a, b in pairwise(events))


def test_the_estimate_is_within_a_tenth(events: list[SourceEvent]) -> None:
    assert len(events) == pytest.approx(estimate_events(CUSTOMERS), rel=0.1)
    assert len(events) >= 4 * CUSTOMERS


def test_memory_does_not_grow_with_the_number_of_customers() -> None:
    blocks = {}
    for number, _ in enumerate(generate(6_500, 3)):
        if number in {12_000, 28_000}:  # the window of customers and the caches are full by the first
            gc.collect()
            blocks[number] = sys.getallocatedblocks()
    assert blocks[28_000] - blocks[12_000] < 0.1 * 16_000  # of the interpreter's blocks of memory per event


def test_every_living_record_has_its_truth_once_on_its_first_good_event(
    events: list[SourceEvent], told: list[Story]
) -> None:
    living = {(r.source, r.record_id): story.cluster for story in told for r in story.records if not r.deleted}
    rows = [event.truth for event in events if event.truth]
    assert len(rows) == len(living)
    assert {(row.source, row.record_id): row.cluster for row in rows} == living
    seen = set()
    for event in events:
        read = record_and_order(event)
        if read is None:
            assert event.truth is None
            continue
        record = SOURCE_OF[event.topic], read[0]
        if record in living:
            assert (event.truth is not None) == (record not in seen)
        seen.add(record)


def test_no_two_contents_of_a_record_share_an_order(events: list[SourceEvent]) -> None:
    contents: dict[object, object] = {}
    for event in events:
        read = record_and_order(event)
        if read is not None:
            assert contents.setdefault((event.topic, read), event.value) == event.value


def test_a_realm_is_the_brand_and_clusters_are_named_after_it(told: list[Story]) -> None:
    assert len({story.cluster for story in told}) == len(told) == CUSTOMERS
    assert all(story.cluster.startswith(f"{story.realm}-") for story in told)
    assert all(record.brand == story.realm for story in told for record in story.records)


def test_all_events_of_a_customer_fall_within_its_window(events: list[SourceEvent], told: list[Story]) -> None:
    arrivals = {
        (record.topic, record.record_id): rates.START_MS + index * rates.SPACING_MS
        for index, story in enumerate(told)
        for record in story.records
    }
    for event in events:
        read = record_and_order(event)
        if read is not None:
            assert 0 <= event.timestamp - arrivals[event.topic, read[0]] < rates.LIFE_MS


def test_no_customers_are_no_events_and_fewer_are_refused() -> None:
    assert list(generate(0, 1)) == []
    with pytest.raises(ValueError, match="must not be negative"):
        next(stories(-1, 1))
