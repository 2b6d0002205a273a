from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Order
from schemas.position import HIGHEST, LOWEST, Position, lettered, numbered, plain

numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(2**63, 10**900) | st.integers(2**63 - 3, 2**64 + 3)


def order(*position: object, scope: str = "seq") -> Order:
    return Order(scope, position)  # type: ignore[arg-type]


@given(numbers, numbers)
def test_numbers_of_any_length_compare_as_numbers(one: int, other: int) -> None:
    found = order(0, numbered(one)).compare(order(0, numbered(other)))
    assert found is not None
    assert (found > 0) - (found < 0) == (one > other) - (one < other)


@given(numbers)
def test_the_ends_are_below_and_above_every_number(number: int) -> None:
    rising = [order(LOWEST), order(numbered(number)), order(HIGHEST)]
    for earlier, later in pairwise(rising):
        assert (earlier.compare(later) or 0) < 0 < (later.compare(earlier) or 0)
    assert order(LOWEST).compare(order(LOWEST)) == 0


@pytest.mark.parametrize("number", [-(2**63) - 1, 10**999, -(10**400)])
def test_a_number_that_no_source_has_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="too large"):
        numbered(number)


def test_text_is_compared_character_by_character_and_only_with_its_like() -> None:
    low, high, other = (order(1, lettered(text), scope="text") for text in ("0a", "0b", "1"))
    assert (low.compare(high) or 0) < 0 < (high.compare(low) or 0)
    assert low.compare(other) is None
    assert other.compare(low) is None
    assert (order(1, LOWEST, scope="text").compare(low) or 0) < 0 < (order(1, HIGHEST, scope="text").compare(high) or 0)


def test_orders_of_two_scopes_are_incomparable() -> None:
    assert order(1).compare(order(2, scope="lsn")) is None


@pytest.mark.parametrize(
    ("position", "expected"),
    [((0, 5, -(2**63)), True), ((0, numbered(2**63)), False), ((0, LOWEST), False), ((0, lettered("a")), False)],
)
def test_only_numbers_of_64_bits_are_what_the_first_release_reads(position: Position, expected: bool) -> None:
    assert plain(position) is expected
