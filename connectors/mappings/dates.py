"""Dates and times as sources write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from time import time_ns
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.mappings.unfit import UnfitError

DateReader: TypeAlias = Callable[[str], str]
"""Text -> ISO date, perhaps partial; empty when the text is not of this format or no such day exists."""

_TOKENS = {
    "YYYY": r"(?P<y>\d{4})",
    "MMM": r"(?P<b>[A-Za-z]{3,9})\.?",
    "MM": r"(?P<m>\d{2})",
    "DD": r"(?P<d>\d{2})",
    "M": r"(?P<m>\d{1,2})",
    "D": r"(?P<d>\d{1,2})",
}
_TOKEN = re.compile("|".join(_TOKENS))
_MONTHS = {name: number for number, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), 1)}
_ISO = re.compile(r"(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})(?P<time>[T ].{0,40})?)?)?", re.ASCII)
_BASIC = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?P<time>T.{0,40})?", re.ASCII)
_WHOLE_DAY = re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?P<time>[T ].{0,40})?", re.ASCII)
_OFFSET = re.compile(r".*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\s*", re.ASCII)
_EPOCH = date(1970, 1, 1)
_EPOCH_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAYS = re.compile(r"-?\d{1,19}", re.ASCII)  # nanoseconds of today have 19 digits
_NUMBER = re.compile(r"\s*-?\d{1,20}(?:\.\d{1,20})?\s*", re.ASCII)
_UNITS = {
    "days": 1,
    "epoch_s": 86_400,
    "epoch_ms": 86_400_000,
    "epoch_us": 86_400_000_000,
    "epoch_ns": 86_400_000_000_000,
}
_HOURS_A_DAY = 24
_NEAR_EPOCH_DAYS = 116
"""Seconds of any day since 1970, read as milliseconds, are among the first days of 1970; and no whole hours of them."""


def zone_named(name: str) -> tzinfo:
    """A time zone by its name: `Europe/Paris`. Raises ValueError."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name[:100]!r} is no time zone that this machine knows, such as Europe/Paris") from error


@lru_cache(maxsize=256)
def date_reader(text: str, zone: str | None = None) -> DateReader:
    """The reader of one format: `iso`, `days`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or a pattern of YYYY, MM, M,
    MMM, DD, D.

    With a zone, an instant (a number of seconds, a time with an offset) is the day it was there. Raises ValueError for
    anything else.
    """
    where = None if zone is None else zone_named(zone)
    if text == "iso":
        return lambda given: _day_in(where, given, _ISO.fullmatch(given) or _BASIC.fullmatch(given))
    if text in _UNITS:
        return _since_epoch(_UNITS[text], where)
    tokens = _TOKEN.findall(text)
    rest = _TOKEN.sub("", text)
    if "YYYY" not in tokens or len({token[0] for token in tokens}) != len(tokens) or re.search(r"[A-Za-z0-9]", rest):
        raise ValueError(f"{text!r} is not a date format (iso, {', '.join(_UNITS)}, or YYYY with MM, M, MMM, DD, D)")
    position, pattern = 0, ""
    for token in _TOKEN.finditer(text):
        pattern += re.escape(text[position : token.start()]) + _TOKENS[token[0]]
        position = token.end()
    compiled = re.compile(pattern + re.escape(text[position:]), re.ASCII)
    return lambda given: _calendar(compiled.fullmatch(given))


def _since_epoch(unit: int, where: tzinfo | None) -> DateReader:
    def read(given: str) -> str:
        if not _DAYS.fullmatch(given):  # Avro's dates and times come as dates and times, whatever the mapping says
            return _day_in(where, given, _WHOLE_DAY.fullmatch(given))
        number = int(given)
        if unit > 1 and abs(number) < unit * _NEAR_EPOCH_DAYS and number % (unit // _HOURS_A_DAY):
            return ""  # a larger unit read as a smaller one
        try:
            if where is None or unit == 1:
                return (_EPOCH + timedelta(days=number // unit)).isoformat()
            return (
                (_EPOCH_TIME + timedelta(microseconds=number * 86_400_000_000 // unit)).astimezone(where).date().isoformat()
            )
        except (OverflowError, ValueError):
            return ""

    return read


def _day_in(where: tzinfo | None, given: str, match: re.Match[str] | None) -> str:
    """The day of an ISO date; of a time with an offset, the day it was in the zone."""
    if where is None or match is None or not (time := match["time"]) or not _OFFSET.fullmatch(time):
        return _calendar(match)
    try:
        return datetime.fromisoformat(given.strip()).astimezone(where).date().isoformat()
    except (ValueError, OverflowError):
        return _calendar(match)


_NOT_DATES = re.compile(
    r"[+-]?inf(inity)?|n/a|n\.a\.|na|none|null|nil|nan|unknown|undefined|tbd|[?.-]+|9999|99999999", re.IGNORECASE
)
_NO_DAYS = frozenset({"0001-01-01", "1753-01-01", "2999-12-31", "9999-12-30", "9999-12-31"})
_ZERO_DAY = re.compile(r"0[0.:/T Z-]*", re.ASCII)
_INFINITE = frozenset(
    str(number)
    for end in (9223372036825200000, -9223372036832400000, 2**63 - 1, -(2**63))
    for number in (end, end // 1_000, end // 86_400_000_000, end // 86_400_000)
) | {"2147483647", "-2147483648"}
"""PostgreSQL's infinity in the units of its driver and of Debezium, and the ends of the integers."""


def is_no_date(text: str, formats: tuple[str, ...]) -> bool:
    """Whether a text that is no date of these formats stands for none: infinity, a placeholder, the end of the calendar."""
    if _NOT_DATES.fullmatch(text) or _ZERO_DAY.fullmatch(text):
        return True
    if any(date_reader(style)(text) in _NO_DAYS for style in formats):
        return True
    return text in _INFINITE and any(style in _UNITS for style in formats)


def _calendar(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    parts = match.groupdict()
    month = _MONTHS.get(parts["b"][:3].lower(), 0) if parts.get("b") else int(parts.get("m") or 0)
    if not (parts.get("m") or parts.get("b")):
        return parts["y"] if int(parts["y"]) else ""
    try:
        day = date(int(parts["y"]), month, int(parts.get("d") or 1)).isoformat()
    except ValueError:
        return ""
    return day if parts.get("d") else day[:7]


EARLIEST = 31_536_000_000  # the year 1971: before it a time is a mistake, usually of the unit
LATEST = 7_258_118_400_000  # the year 2200: the same
AHEAD = 86_400_000  # a day: clocks differ, and zones are forgotten
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000, "epoch_ns": 1_000_000_000}
_LARGEST = 1e21  # nanoseconds of the year 33,000


def milliseconds(value: object, style: str, zone: str = "UTC") -> int:
    """A point in time as ms since the epoch. Raises UnfitError("bad-date") for what is no time from 1971 to 2200."""
    return microseconds(value, style, zone) // 1_000


def microseconds(value: object, style: str, zone: str = "UTC") -> int:
    """As `milliseconds`, in microseconds. A time without an offset is of the zone."""
    if style == "iso" and not isinstance(value, date):
        value = _iso_time(value)
    time = _instant(value, zone) if isinstance(value, date) else int(_number(value) * 1_000_000 // _PER_SECOND[style])
    if not EARLIEST * 1_000 <= time < LATEST * 1_000:
        raise UnfitError("bad-date", f"a time outside 1971 to 2200, read as {style}: is it of another unit?")
    return time


def not_ahead(time: int, log_time: int) -> None:
    """Both in ms. Raises UnfitError("bad-date") for a time more than a day after the log's: whatever came after it would be
    older. A file has no such time, so now stands for it."""
    if time > (log_time if log_time > 0 else time_ns() // 1_000_000) + AHEAD:
        raise UnfitError("bad-date", "a time more than a day after the message was written to its topic")


def _instant(value: date, zone: str) -> int:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    try:
        return ((moment if moment.tzinfo else moment.replace(tzinfo=zone_named(zone))) - _EPOCH_TIME) // _MICROSECOND
    except OverflowError:
        raise UnfitError("bad-date", "a time outside 1971 to 2200") from None


def _iso_time(value: object) -> datetime:
    if isinstance(value, str) and len(value) <= 40:
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    raise UnfitError("bad-date", "not an ISO 8601 time")


def _number(value: object) -> int | float | Decimal:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value) if "." not in value else Decimal(value.strip())
    raise UnfitError("bad-date", "not a number since 1970")
