"""Positions of events: what places one event before or after another of its record, as sources number them."""

from __future__ import annotations

from typing import TypeAlias

Place: TypeAlias = int | str | None
"""One part of a position. A number of 64 bits is an int; a longer one, and text, are as `numbered` and `lettered` make them.
`LOWEST` is below and `HIGHEST` above all of them."""

Position: TypeAlias = tuple[Place, ...]

LOWEST: Place = None
HIGHEST: Place = "\U0010ffff"

_INT64 = 2**63
_MOST_DIGITS = 999
_NUMBER, _TEXT = "#", "="
_INTS = frozenset({int})


def numbered(number: int) -> Place:
    """A whole number as a place. Above 64 bits: how many digits it has, and these, so that they compare as the numbers do.

    Raises ValueError below -2^63, and for more than 999 digits.
    """
    if -_INT64 <= number < _INT64:
        return number
    if number < 0 or number.bit_length() > 3_300:
        raise ValueError("a number that is too large")
    digits = str(number)
    return f"{_NUMBER}{len(digits):03}{digits}"


def lettered(text: str) -> Place:
    """Text as a place, compared character by character. All of one scope must be of one width."""
    return _TEXT + text


def plain(position: Position) -> bool:
    """Whether it is all 64-bit integers, which is what singleview 0.1.0 can read."""
    return _INTS.issuperset(map(type, position))


def compare(one: Position, other: Position) -> int | None:
    """Below, at or above 0 as `one` is before, at or after `other`; None where texts of different widths meet."""
    for here, there in zip(one, other, strict=False):
        if here != there:
            return _compare_places(here, there)
    return len(one) - len(other)


def _compare_places(one: Place, other: Place) -> int | None:
    if isinstance(one, str) and isinstance(other, str) and one[0] == other[0] == _TEXT and len(one) != len(other):
        return None
    return 1 if _key(one) > _key(other) else -1


def _key(place: Place) -> tuple[int, int, str]:
    """What kind it is, then what it is: numbers, longer numbers, texts."""
    if place is None:
        return 0, 0, ""
    return (1, place, "") if isinstance(place, int) else (2, 0, place)
