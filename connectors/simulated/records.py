"""A record in one source system: what it holds, and the events it has published. Each system has its own subclass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from functools import lru_cache
from typing import ClassVar, NamedTuple

import msgspec

from connectors.simulated.capture import Held
from connectors.simulated.events import AvroDatum

_EPOCH = date(1970, 1, 1).toordinal()
ENCODER = msgspec.json.Encoder()

NAME, BIRTH, EMAIL, MOBILE, ADDRESS = "name", "birth", "email", "mobile", "address"
"""The parts of a record that change when something happens to its customer."""


class Published(NamedTuple):
    """An event as its system published it, in the order of its record."""

    time: int  # ms since the epoch
    key: bytes | None
    value: bytes | AvroDatum | None


class SystemRecord(ABC):
    """One record, from creation to deletion. Each method publishes at least one event; times must rise."""

    source: ClassVar[str]
    topic: ClassVar[str]

    def __init__(self, record_id: str, brand: str, held: Held) -> None:
        self.record_id = record_id
        self.brand = brand
        self.held = held
        self.published: list[Published] = []
        self.deleted = False
        self._last = 0

    def _at(self, time: int) -> int:
        """`time`, or just after the last event: two changes of a record never share an instant."""
        self._last = max(time, self._last + 1)
        return self._last

    @abstractmethod
    def create(self, time: int) -> None:
        """The record appears, with all it holds."""

    @abstractmethod
    def change(self, time: int, part: str) -> None:
        """`held` has another value in this part."""

    @abstractmethod
    def routine(self, time: int, choice: float) -> None:
        """Something that says nothing about who the customer is; `choice` in [0, 1) picks what."""

    def delete(self, time: int) -> None:
        """The record is deleted. Only some systems do."""
        raise NotImplementedError(f"{self.source} does not delete")


_DAY_MS = 86_400_000


def iso(time: int) -> str:
    """A time in ms as ISO 8601 in UTC with milliseconds."""
    seconds, ms = divmod(time % _DAY_MS, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{_day(time // _DAY_MS)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{ms:03d}Z"


def iso_date(time: int) -> str:
    """The day of a time in ms, in UTC."""
    return _day(time // _DAY_MS)


@lru_cache(maxsize=512)
def _day(number: int) -> str:
    """ISO date of a day counted from 1970-01-01."""
    return date.fromordinal(_EPOCH + number).isoformat()
