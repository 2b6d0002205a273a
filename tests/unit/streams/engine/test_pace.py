from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.pace import Pace


def test_a_slow_transaction_makes_the_next_batch_small_enough() -> None:
    pace = Pace(2_000, 3.0)
    pace.took(2_000, 12.0)
    assert 1 <= pace.limit <= 500


def test_batches_grow_again_while_they_are_full_and_quick() -> None:
    pace = Pace(2_000, 3.0)
    pace.took(2_000, 30.0)
    for _ in range(20):
        pace.took(pace.limit, 0.1)
    assert pace.limit == 2_000


def test_a_small_batch_says_nothing_about_how_large_one_may_be() -> None:
    pace = Pace(2_000, 3.0)
    pace.took(2_000, 30.0)
    limit = pace.limit
    pace.took(1, 0.1)
    assert pace.limit == limit


def test_a_transaction_that_was_not_finished_halves_the_batch_down_to_one_message() -> None:
    pace = Pace(8, 3.0)
    limits = []
    for _ in range(5):
        pace.failed()
        limits.append(pace.limit)
    assert limits == [4, 2, 1, 1, 1]


@given(
    most=st.integers(1, 10_000),
    taken=st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 10_000), st.floats(0, 1_000)))),
)
def test_a_batch_may_always_hold_a_message_and_never_more_than_configured(
    most: int, taken: list[tuple[int, float] | None]
) -> None:
    pace = Pace(most, 3.0)
    for found in taken:
        if found is None:
            pace.failed()
        else:
            pace.took(*found)
        assert 1 <= pace.limit <= most


def test_a_batch_grows_no_further_than_would_fit_as_things_are() -> None:
    pace = Pace(20_000, 1.5)
    pace.took(1_000, 1.2)
    assert pace.limit == 1_251
