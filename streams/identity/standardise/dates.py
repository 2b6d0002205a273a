"""Birth dates: ISO, perhaps partial, to YYYY, YYYYMM or YYYYMMDD."""

from __future__ import annotations

import re
from functools import lru_cache

from streams.identity.standardise.text import CACHE, LONGEST

_ISO = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ].*)?", re.ASCII)
EARLIEST_YEAR, LATEST_YEAR = 1850, 2100  # outside: a system's filler, not a birth


def birth(text: str, blocked: frozenset[str]) -> str:
    """Digits of the known part. Day and month are put right where only one order is a date; blocked dates are not known."""
    return _birth(text[:LONGEST].strip(), blocked)


@lru_cache(maxsize=CACHE)
def _birth(text: str, blocked: frozenset[str]) -> str:
    found = _ISO.fullmatch(text)
    if not found:
        return ""
    year, month, day = found.groups(default="")
    if not EARLIEST_YEAR <= int(year) <= LATEST_YEAR:
        return ""
    if month > "12" and "00" < day <= "12":
        month, day = day, month
    if not "01" <= month <= "12":
        month = day = ""
    if not "01" <= day <= "31":
        day = ""
    digits = year + month + day
    return "" if digits in blocked else digits
