"""Names that are due together, many to a row: for what nearly always comes before its time.

`schedule` and `cancel` (`due.py`) write two rows for each name. Where thousands wait for a moment, as new records do for
their customer, that doubles what is stored. A name on a roll costs a part of a row, and nobody takes it out: whoever is
given the names of a roll that is due looks which of them still wait.
"""

from __future__ import annotations

import msgspec

from schemas.messages import Codec
from streams.engine.contract import Store
from streams.engine.due import schedule

ROLLS = b"\x00roll/"
"""Rows of rolls; and their names in the index of what is due."""

OPEN = b"\x00roll"
NAMES = 32
OPEN_MS = 30_000
"""How long a roll takes names: so much longer than asked they may wait."""


class _Open(msgspec.Struct, frozen=True, array_like=True):
    """The roll that takes names."""

    number: int
    at_ms: int


_OPEN: Codec[_Open] = Codec(_Open)
_NAMES: Codec[list[str]] = Codec(list[str])


def enter(store: Store, name: str, now_ms: int, pause_ms: int) -> int:
    """Has a name be due after a pause, at most `OPEN_MS` later than that; returns when, in ms."""
    found = store.get(OPEN)
    roll = _OPEN.decode(found) if found is not None else _Open(0, 0)
    if pause_ms <= roll.at_ms - now_ms <= pause_ms + OPEN_MS:
        key = _key(roll.number)
        row = store.get(key)
        names = _NAMES.decode(row) if row is not None else []
        if row is not None and len(names) < NAMES:
            names.append(name)
            store.put(key, _NAMES.encode(names))
            return roll.at_ms
    roll = _Open(roll.number + 1, now_ms + pause_ms + OPEN_MS)
    store.put(OPEN, _OPEN.encode(roll))
    store.put(_key(roll.number), _NAMES.encode([name]))
    schedule(store, roll.at_ms, _key(roll.number))
    return roll.at_ms


def names_due(store: Store, due: bytes) -> list[str]:
    """The names behind one that `take_due` gave: those of a roll, which is over then, or the one name itself."""
    if not due.startswith(ROLLS):
        return [due.decode()]
    row = store.get(due)
    store.delete(due)
    return _NAMES.decode(row) if row is not None else []


def _key(number: int) -> bytes:
    return ROLLS + number.to_bytes(8, "big")
