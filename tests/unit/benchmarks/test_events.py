from __future__ import annotations

from benchmarks.events import EVENT_BYTES, events, expected


def test_every_event_is_as_long_as_the_workload_says() -> None:
    assert {len(event.value) for event in events(2_000)} == {EVENT_BYTES}


def test_a_longer_input_begins_as_a_shorter_one_over_as_many_keys() -> None:
    assert list(events(1_000)) == list(events(1_000))
    assert len({event.key for event in events(4_000)}) <= 1_000


def test_the_expected_rows_count_every_event_once_and_hold_the_fields_of_all() -> None:
    rows = expected(1_000)
    assert sum(row.number for row in rows.values()) == 1_000
    fullest = max(rows.values(), key=lambda row: len(row.fields))
    assert {"email", "city", "plan", "balance"} <= fullest.fields.keys()
