"""Dates as sources write them, in the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

Instant: TypeAlias = tuple[bool, int, str]
"""Whether it is a date, its microseconds since the epoch, the text if it is none."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BEGINNING = {len("2024"): "-01-01", len("2024-06"): "-01"}
"""What makes a partial date of this length a whole one."""


@lru_cache(maxsize=8192)  # members of one customer repeat their dates with each of its messages
def instant(text: str) -> Instant:
    """Where a text stands in time; instants order any two texts.

    A partial ISO 8601 date is its beginning, and without a zone it is UTC. What is no date comes before every date.
    """
    written = text.strip().upper()  # RFC 3339 allows `t` and `z`
    try:
        moment = datetime.fromisoformat(written + BEGINNING.get(len(written), ""))
    except ValueError:
        return False, 0, text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return True, (moment - EPOCH) // MICROSECOND, ""
