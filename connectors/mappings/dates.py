"""Dates and times as sources write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

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
_ISO = re.compile(r"(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})(?:[T ].{0,40})?)?)?", re.ASCII)
_EPOCH = date(1970, 1, 1)
_EPOCH_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAYS = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"\s*-?\d{1,18}\s*", re.ASCII)
_UNITS = {"days": 1, "epoch_s": 86_400, "epoch_ms": 86_400_000, "epoch_us": 86_400_000_000}


@lru_cache(maxsize=256)
def date_reader(text: str) -> DateReader:
    """The reader of one format: `iso`, `days`, `epoch_s`, `epoch_ms`, `epoch_us`, or a pattern of YYYY, MM, M, MMM, DD, D.

    Raises ValueError for anything else.
    """
    if text == "iso":
        return lambda given: _calendar(_ISO.fullmatch(given))
    if text in _UNITS:
        return _since_epoch(_UNITS[text])
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


def _since_epoch(unit: int) -> DateReader:
    def read(given: str) -> str:
        if not _DAYS.fullmatch(given):
            return ""
        try:
            return (_EPOCH + timedelta(days=int(given) // unit)).isoformat()
        except OverflowError:
            return ""

    return read


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


_LATEST = 7_258_118_400_000  # the year 2200: beyond it a time is a mistake, usually of the unit
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}


def milliseconds(value: object, style: str) -> int:
    """A point in time as ms since the epoch. Raises UnfitError("bad-date") for what is no time from 1970 to 2200."""
    return microseconds(value, style) // 1_000


def microseconds(value: object, style: str) -> int:
    """As `milliseconds`, in microseconds. A datetime (from Avro's logical types) is UTC if it has no zone."""
    if style == "iso" and not isinstance(value, datetime):
        value = _iso_time(value)
    if isinstance(value, datetime):
        time = ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH_TIME) // _MICROSECOND
    else:
        time = int(_number(value) * 1_000_000 // _PER_SECOND[style])
    if not 0 <= time < _LATEST * 1_000:
        raise UnfitError("bad-date", "a time outside 1970 to 2200")
    return time


def _iso_time(value: object) -> datetime:
    if isinstance(value, str) and len(value) <= 40:
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    raise UnfitError("bad-date", "not an ISO 8601 time")


def _number(value: object) -> int | float:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    raise UnfitError("bad-date", "not a number since 1970")
