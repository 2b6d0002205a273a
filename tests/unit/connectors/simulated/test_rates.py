"""What was declared is what happens."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.simulated import SOURCES, SourceEvent, rates
from connectors.simulated.events import CRM_TOPIC
from connectors.simulated.life import Story
from connectors.simulated.records import SystemRecord
from tests.unit.connectors.simulated.reading import document, record_and_order


@pytest.fixture(scope="module")
def persons(told: list[Story]) -> list[SystemRecord]:
    """Records of persons."""
    return [record for story in told for record in story.records if story.kind != "organization"]


def test_shares_that_should_add_up_to_one_do() -> None:
    for shares in (rates.COUNTRIES, rates.GROUPS, rates.LEGAL_FORM):
        assert sum(shares.values()) == pytest.approx(1)
    assert sum(rates.SITES) == pytest.approx(1)


def test_about_one_event_in_a_hundred_comes_again(events: list[SourceEvent]) -> None:
    good = [event for event in events if record_and_order(event) is not None]
    again = len(good) - len({(event.topic, record_and_order(event)) for event in good})
    assert again / len(good) == pytest.approx(rates.REDELIVERED, rel=0.35)


def test_about_one_event_in_a_hundred_is_overtaken_within_its_record(events: list[SourceEvent]) -> None:
    newest: dict[tuple[str, str], tuple[int, ...]] = {}
    seen = set()
    overtaken = 0
    for event in events:
        read = record_and_order(event)
        if read is None or (event.topic, read) in seen:
            continue
        seen.add((event.topic, read))
        key = event.topic, read[0]
        overtaken += key in newest and read[1] < newest[key]
        newest[key] = max(read[1], newest.get(key, read[1]))
    assert 0.006 < overtaken / len(events) < 0.02


def test_about_three_events_in_a_thousand_are_damaged_in_every_way_there_is(events: list[SourceEvent]) -> None:
    damaged = [e for e in events if e.value is not None and record_and_order(e) is None]
    assert len(damaged) / len(events) == pytest.approx(rates.MALFORMED, rel=0.5)
    readable = [event for event in damaged if document(event) is not None]
    assert 0 < len(readable) < len(damaged)


def test_a_damaged_event_is_never_the_only_carrier_of_a_fact(events: list[SourceEvent], told: list[Story]) -> None:
    published = {
        (record.topic, repr(value))
        for story in told
        for record in story.records
        for _, _, value in record.published
        if value
    }
    good = {(event.topic, repr(event.value)) for event in events if record_and_order(event) is not None}
    assert published <= good


def test_a_deleted_row_is_followed_by_its_tombstone(events: list[SourceEvent]) -> None:
    deleted = [e.key for e in events if e.topic == CRM_TOPIC and record_and_order(e) and (document(e) or {})["op"] == "d"]
    tombstones = [event.key for event in events if event.value is None]
    assert deleted
    assert set(deleted) == set(tombstones)


def test_the_smaller_brand_has_about_fifteen_customers_in_a_hundred(told: list[Story]) -> None:
    assert sum(story.realm == "south" for story in told) / len(told) == pytest.approx(0.15, abs=0.03)


def test_a_customer_is_in_about_three_systems_of_five(told: list[Story], persons: list[SystemRecord]) -> None:
    people = [story for story in told if story.kind != "organization"]
    assert len(persons) / len(people) == pytest.approx(3, abs=0.2)
    assert {len({record.source for record in story.records}) for story in people} == {1, 2, 3, 4, 5}
    assert any(count > 1 for story in people for count in Counter(r.source for r in story.records).values())


@pytest.mark.parametrize("source", SOURCES)
def test_each_system_holds_its_share_of_customers(told: list[Story], source: str) -> None:
    people = [story for story in told if story.kind != "organization"]
    holding = sum(any(record.source == source for record in story.records) for story in people)
    assert holding / len(people) == pytest.approx(rates.HOLDS[source], abs=0.03)


def test_most_billing_records_carry_the_crm_number_of_the_same_customer(told: list[Story]) -> None:
    referring = total = 0
    for story in told:
        own = {record.record_id for record in story.records if record.source == "crm"}
        for record in story.records:
            if record.source == "billing":
                total += 1
                referring += record.held.crm_number is not None
                assert record.held.crm_number is None or record.held.crm_number in own
    assert 0.5 < referring / total < 0.9
