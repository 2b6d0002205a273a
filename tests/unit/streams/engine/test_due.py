from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import TICK, Tick
from streams.engine.due import LAST_MS, cancel, more, schedule, take_due
from tests.fakes import MemoryStore, RecordingOutbox

entries = st.lists(st.tuples(st.integers(min_value=0, max_value=LAST_MS), st.binary(max_size=3)), max_size=12)


@given(entries, st.integers(min_value=0, max_value=LAST_MS), st.integers(min_value=0, max_value=12))
def test_what_is_due_is_taken_once_the_earliest_first(said: list[tuple[int, bytes]], now: int, limit: int) -> None:
    store = MemoryStore({b"\x00engind": b"a row before", b"\x00engine0": b"a row behind"})
    for at, name in said:
        schedule(store, at, name)
    expected = sorted(set(said))
    due = [name for at, name in expected if at <= now]
    assert take_due(store, now, limit) == due[:limit]
    assert take_due(store, LAST_MS, 100) == [name for _, name in expected][len(due[:limit]) :]
    assert take_due(store, LAST_MS, 100) == []
    assert len(store.rows) == 2


def test_what_was_cancelled_is_not_due() -> None:
    store = MemoryStore()
    schedule(store, 5, b"a")
    schedule(store, 7, b"a")
    cancel(store, 5, b"a")
    cancel(store, 6, b"a")
    assert take_due(store, 6, 10) == []
    assert take_due(store, 7, 10) == [b"a"]


def test_a_time_before_the_epoch_is_due_at_once() -> None:
    store = MemoryStore()
    schedule(store, -5, b"a")
    assert take_due(store, 0, 10) == [b"a"]


def test_more_of_a_tick_goes_to_the_same_partition() -> None:
    out = RecordingOutbox()
    more(out, "records", 3, Tick(time=7, everything=True))
    (sent,) = out.sent
    assert (sent.topic, sent.partition, sent.key) == ("records", 3, None)
    assert TICK.decode(sent.value or b"") == Tick(time=7, everything=True)
