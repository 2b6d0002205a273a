from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings.dates import date_reader, microseconds, milliseconds, not_ahead
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
        ("epoch_ms", "-1", ""),
        ("epoch_ms", "-86400000", "1969-12-31"),
        ("epoch_ms", "3600000", "1970-01-01"),
        ("epoch_us", "477360000000000", "1985-02-16"),
        ("epoch_ns", "477360000000000000", "1985-02-16"),
        ("days", "1985-02-16", "1985-02-16"),
        ("epoch_us", "1985-02-16T00:00:00+00:00", "1985-02-16"),
        ("days", "1985", "1975-06-09"),
        ("iso", "19850216", "1985-02-16"),
        ("iso", "19850231", ""),
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
        ("epoch_s", "1704277230.123"),
        ("epoch_ns", 1704277230123456789),
        ("epoch_ns", "1704277230123000000"),
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
        ("epoch_ms", 0),
        ("epoch_ms", 1704277230),
        ("epoch_us", 1704277230123),
        ("epoch_ns", 1704277230123000),
        ("epoch_s", "1704277230123"),
        ("epoch_ms", 10**400),
        ("epoch_ms", 1e308),
        ("epoch_ms", -1e308),
        ("epoch_s", 1.7976931348623157e308),
        ("epoch_ns", float("-inf")),
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


@pytest.mark.parametrize(
    ("style", "zone", "written", "day"),
    [
        ("iso", "Europe/Paris", "1981-01-01T23:00:00Z", "1981-01-02"),
        ("iso", "Europe/Paris", "1981-06-30T22:00:00.000Z", "1981-07-01"),
        ("iso", "America/New_York", "1981-01-02T00:00:00Z", "1981-01-01"),
        ("iso", "Europe/Paris", "1981-01-02", "1981-01-02"),
        ("iso", "Europe/Paris", "1981-01-02T00:00:00", "1981-01-02"),
        ("iso", "Europe/Paris", "1981-01-02T00:00:00+01:00", "1981-01-02"),
        ("epoch_ms", "Europe/Paris", "347238000000", "1981-01-02"),
        ("epoch_ms", "UTC", "347238000000", "1981-01-01"),
        ("days", "America/New_York", "4019", "1981-01-02"),
    ],
)
def test_an_instant_is_the_day_it_was_in_the_sources_zone(style: str, zone: str, written: str, day: str) -> None:
    assert date_reader(style, zone)(written) == day


def test_a_time_without_an_offset_is_of_its_zone() -> None:
    assert milliseconds("2024-01-03T11:20:30.123", "iso", "Europe/Paris") == 1704277230123
    assert milliseconds("2024-01-03T10:20:30.123Z", "iso", "Europe/Paris") == 1704277230123


def test_a_time_may_be_a_day_ahead_of_the_log_and_no_more() -> None:
    not_ahead(1_704_277_230_123 + 86_400_000, 1_704_277_230_123)
    with pytest.raises(UnfitError) as caught:
        not_ahead(1_704_277_230_123 + 86_400_001, 1_704_277_230_123)
    assert caught.value.reason == "bad-date"


def test_a_file_has_no_time_so_a_time_is_compared_with_now() -> None:
    not_ahead(1_704_277_230_123, 0)
    with pytest.raises(UnfitError):
        not_ahead(5_680_281_600_000, 0)


def test_a_day_in_nanoseconds_has_nineteen_digits() -> None:
    assert date_reader("epoch_ns")("1609459200000000000") == "2021-01-01"
