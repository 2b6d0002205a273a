"""Postal addresses: abbreviations spelt out, house number and unit told apart, postcode as a code."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from schemas.canonical import Address
from streams.identity.data import pairs
from streams.identity.standardise.text import CACHE, LONGEST, RECENT, code, fold

_STREET_WORDS = pairs("street_words.txt")
_TYPE_WORDS = frozenset(_STREET_WORDS.values())
_UNIT = re.compile(
    r"\b(?:flat|apartment|apt|unit|suite|ste|room|floor|whg|wohnung|appt|piso|puerta|int|interno)(?:\s+|(?=\d))(\w+)\b"
)
_LEADING_HOUSE = re.compile(r"(\d+)\s?([a-z](?![a-z0-9]))?(?:\s\d+)?\s+(?=\D)")
_TRAILING_HOUSE = re.compile(r"(?<=\D)\s+(?:no\s|nr\s)?(\d+)\s?([a-z])?(?:\s\d+)?$")
_HOUSE = re.compile(r"(\d+)\s?([a-z])?\b")
_US_LONG_ZIP = re.compile(r"(\d{5})-\d{4}")


class Lines(NamedTuple):
    """The parts of one address, standardised."""

    house: str
    unit: str
    street: str
    locality: str
    postcode: str
    country: str


def _word(position: int, word: str) -> str:
    """A word of a street, spelt out; single letters are abbreviations only in front (C/ Mayor; not Avenue C)."""
    if word in _STREET_WORDS:
        return _STREET_WORDS[word] if len(word) > 1 or position == 0 else word
    if len(word) > 5 and word.endswith("str"):  # hauptstr
        return word + "asse"
    return word


@lru_cache(maxsize=CACHE)
def _house(text: str) -> str:
    """12, 12a; the first of a range; what the source wrote where it is no number."""
    folded = fold(text)
    found = _HOUSE.match(folded)
    return "".join(part for part in found.groups() if part) if found else folded


@lru_cache(maxsize=CACHE)
def _street(text: str, house: str, unit: str) -> tuple[str, str, str]:
    street = fold(text)
    if not unit and (found := _UNIT.search(street)):
        unit = found[1]
        street = (street[: found.start()] + street[found.end() :]).strip()
    has_number = not street.replace(" ", "").isalpha()
    found = (_LEADING_HOUSE.match(street) or _TRAILING_HOUSE.search(street)) if has_number else None
    if found and (not house or house == found[1] + (found[2] or "")):
        house = house or found[1] + (found[2] or "")
        street = (street[: found.start()] + street[found.end() :]).strip()
    return " ".join([_word(*numbered) for numbered in enumerate(street.split())]), house, unit


def address(value: Address) -> Lines:
    """Standardise one address. A line in `raw` is used only where there is no street."""
    return _lines(
        value.house[:LONGEST],
        value.unit[:LONGEST],
        (value.street or value.raw)[:LONGEST],
        value.locality[:LONGEST],
        value.postcode.strip()[:LONGEST],
        value.country[:LONGEST],
    )


@lru_cache(maxsize=RECENT)
def _lines(house: str, unit: str, street: str, locality: str, postcode: str, country: str) -> Lines:
    house = _house(house) if house else ""
    unit = fold(unit) if unit else ""
    if unit and (found := _UNIT.match(unit)):
        unit = found[1]
    street, house, unit = _street(street, house, unit)
    if "-" in postcode and (found := _US_LONG_ZIP.fullmatch(postcode)):
        postcode = found[1]
    return Lines(house, unit, street, fold(locality), code(postcode), code(country))


def street_core(street: str) -> str:
    """The street's own name, without the words every other street has."""
    words = street.split()
    return " ".join([word for word in words if word not in _TYPE_WORDS] or words)
