"""Names that are due together share rows; each is given out once, not before its pause is over."""

from __future__ import annotations

from streams.engine.due import LAST_MS, schedule, take_due
from streams.engine.roll import NAMES, OPEN_MS, enter, names_due
from tests.fakes import MemoryStore

NOW_MS = 1_700_000_000_000
PAUSE_MS = 90_000


def due(store: MemoryStore, at_ms: int) -> list[str]:
    return [name for each in take_due(store, at_ms, 1_000) for name in names_due(store, each)]


def test_a_name_is_due_after_its_pause_and_not_much_later() -> None:
    store = MemoryStore()
    at = enter(store, "north/crm/1", NOW_MS, PAUSE_MS)
    assert NOW_MS + PAUSE_MS <= at <= NOW_MS + PAUSE_MS + OPEN_MS
    assert due(store, at - 1) == []
    assert due(store, at) == ["north/crm/1"]
    assert due(store, LAST_MS) == []


def test_names_of_one_moment_share_rows() -> None:
    store = MemoryStore()
    names = [f"north/crm/{number}" for number in range(4 * NAMES)]
    for name in names:
        enter(store, name, NOW_MS, PAUSE_MS)
    assert len(store.rows) <= 4 * 2 + 1
    assert due(store, NOW_MS + PAUSE_MS + OPEN_MS) == names


def test_a_name_that_comes_later_or_whose_clock_went_back_is_on_a_roll_of_its_own() -> None:
    store = MemoryStore()
    for now in (NOW_MS, NOW_MS + OPEN_MS + 1, NOW_MS - 3_600_000):
        at = enter(store, str(now), now, PAUSE_MS)
        assert now + PAUSE_MS <= at <= now + PAUSE_MS + OPEN_MS


def test_a_name_after_its_roll_was_given_out_is_on_another() -> None:
    store = MemoryStore()
    at = enter(store, "a", NOW_MS, PAUSE_MS)
    assert due(store, at) == ["a"]
    enter(store, "b", NOW_MS + 1, PAUSE_MS)
    assert due(store, LAST_MS) == ["b"]


def test_a_name_that_is_scheduled_by_itself_is_given_out_as_it_is() -> None:
    store = MemoryStore()
    schedule(store, NOW_MS, b"north/crm/1")
    assert due(store, NOW_MS) == ["north/crm/1"]
