"""Texts in the order of time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.survivorship.dates import instant

moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones())


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2024-06-01T09:30:00+02:00", "2024-06-01T08:00:00Z"),
        ("2024-06-01T23:30:00-02:00", "2024-06-02T02:00:00"),
        ("2024-05-31", "2024-06"),
        ("2023-12-31T23:59:59Z", "2024"),
        ("2024", "2024-01-01T00:00:01Z"),
        ("2024-06-01T08:00:00z", "2024-06-01T08:00:00.1Z"),
        ("", "0001"),
        ("yesterday", "2024"),
        ("2024-13-01", "0001-01-01T00:00:00+14:00"),
        ("", "yesterday"),
    ],
)
def test_a_text_is_earlier_than_another(earlier: str, later: str) -> None:
    assert instant(earlier) < instant(later)


@pytest.mark.parametrize(
    "text", ["2024-06", "2024-06-01", "2024-06-01T00:00", "2024-06-01 02:00+02:00", " 2024-06-01t00:00:00z "]
)
def test_texts_of_one_instant_are_equal(text: str) -> None:
    assert instant(text) == instant("2024-06-01T00:00:00Z")


@given(moments, moments)
def test_dates_are_in_the_order_of_time_whatever_their_zones(one: datetime, other: datetime) -> None:
    assert (instant(one.isoformat()) < instant(other.isoformat())) == (one.astimezone(UTC) < other.astimezone(UTC))


@given(st.text(), st.text())
def test_any_two_texts_have_an_order(one: str, other: str) -> None:
    assert (instant(one) < instant(other)) + (instant(other) < instant(one)) + (instant(one) == instant(other)) == 1
