from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings.dates import date_reader, microseconds, milliseconds
from connectors.mappings.unfit import UnfitError


@pytest.mark.parametrize(
    ("style", "written", "iso"),
    [
        ("iso", "1985-02-16", "1985-02-16"),
        ("iso", "1985-02-16T10:00:00Z", "1985-02-16"),
        ("iso", "1985-02", "1985-02"),
        ("iso", "1985", "1985"),
        ("iso", "1985-02-31", ""),
        ("iso", "16/02/1985", ""),
        ("iso", "1985-2-6", ""),
        ("DD/MM/YYYY", "16/02/1985", "1985-02-16"),
        ("DD/MM/YYYY", "31/02/1985", ""),
        ("DD/MM/YYYY", "16.02.1985", ""),
        ("D.M.YYYY", "6.2.1985", "1985-02-06"),
        ("YYYYMMDD", "19850216", "1985-02-16"),
        ("YYYYMMDD", "19851302", ""),
        ("MMM D, YYYY", "Feb 16, 1985", "1985-02-16"),
        ("DD MMM YYYY", "16 february 1985", "1985-02-16"),
        ("DD MMM YYYY", "16 Smarch 1985", ""),
        ("MM/YYYY", "02/1985", "1985-02"),
        ("YYYY", "1985", "1985"),
        ("YYYY", "0000", ""),
        ("days", "5525", "1985-02-16"),
        ("days", "-1", "1969-12-31"),
        ("days", "99999999999", ""),
        ("epoch_ms", "477360000000", "1985-02-16"),
        ("epoch_ms", "-1", "1969-12-31"),
    ],
)
def test_a_date_is_read_or_empty(style: str, written: str, iso: str) -> None:
    assert date_reader(style)(written) == iso


@pytest.mark.parametrize("style", ["", "isoo", "DD/MM", "YYYY-YYYY", "MM/M/YYYY", "YYYY-MM-DDx", "MMMM YYYY"])
def test_what_is_no_date_format_is_refused(style: str) -> None:
    with pytest.raises(ValueError, match="is not a date format"):
        date_reader(style)


@given(st.dates(), st.sampled_from(["YYYY-MM-DD", "DD/MM/YYYY", "D.M.YYYY", "MMM DD, YYYY"]))
def test_every_day_survives_every_whole_format(day: date, style: str) -> None:
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * day.month - 3 : 3 * day.month]
    tokens = [("YYYY", f"{day.year:04}"), ("MMM", month), ("MM", f"{day.month:02}"), ("DD", f"{day.day:02}")]
    written = style
    for token, text in tokens:
        written = written.replace(token, text)
    if style == "D.M.YYYY":
        written = f"{day.day}.{day.month}.{day.year:04}"
    assert date_reader(style)(written) == day.isoformat()


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("iso", "2024-01-03T10:20:30.123Z"),
        ("iso", "2024-01-03T11:20:30.123+01:00"),
        ("epoch_ms", 1704277230123),
        ("epoch_ms", "1704277230123"),
        ("epoch_us", 1704277230123000),
        ("epoch_s", 1704277230.123),
        ("epoch_ms", datetime(2024, 1, 3, 10, 20, 30, 123_000, UTC)),
        ("iso", datetime(2024, 1, 3, 11, 20, 30, 123_000, timezone(timedelta(hours=1)))),
        ("iso", datetime(2024, 1, 3, 10, 20, 30, 123_000)),
    ],
)
def test_a_point_in_time_is_milliseconds_since_the_epoch(style: str, written: object) -> None:
    assert milliseconds(written, style) == 1704277230123


def test_order_by_time_keeps_microseconds() -> None:
    assert microseconds("2024-01-03T10:20:30.123456Z", "iso") == 1704277230123456


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("iso", "yesterday"),
        ("iso", "9999-01-01T00:00:00Z"),
        ("iso", "0001-01-01T00:00:00+23:59"),
        ("iso", 5),
        ("epoch_s", 1704277230123),
        ("epoch_ms", -1),
        ("epoch_ms", "1e5"),
        ("epoch_ms", float("nan")),
        ("epoch_ms", 1e300),
        ("epoch_ms", True),
        ("epoch_ms", {}),
    ],
)
def test_an_absurd_time_is_a_bad_date(style: str, written: object) -> None:
    with pytest.raises(UnfitError) as caught:
        milliseconds(written, style)
    assert caught.value.reason == "bad-date"
