"""Avro's binary encoding of what our public schemas use: strings, booleans, ints and longs, and records of these.

Why not fastavro: for objects of many, mostly short or empty strings, such as a view, this is several times faster. Reading
is fastavro's. Arrays and maps are written by those who know their items: their length as a long, the items, and `ZERO`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")

ZERO = b"\0"
"""What every empty value is in Avro: "", 0, false, [], {} and, as the first branch of a union, null; also an array's end."""

SOME = b"\2"
"""The second branch of a union with null; also an array of one item begins so."""

SHORT = [chr(2 * length) for length in range(64)]
"""The lengths that Avro writes in one byte, which is ASCII, so that short ASCII strings can be joined as text."""

FLAG = {False: "\0", True: "\1"}
"""Booleans, as text."""

BOOLEAN = {False: b"\0", True: b"\1"}


def string(value: str) -> bytes:
    data = value.encode()
    try:
        return LENGTHS[len(data)] + data
    except IndexError:  # it is long
        return varint(len(data)) + data


def optional_string(value: str | None) -> bytes:
    """A union of null and string."""
    return ZERO if value is None else SOME + string(value)


def strings(values: Sequence[str]) -> bytes:
    """An array of strings."""
    return b"".join((long(len(values)), *[string(value) for value in values], ZERO)) if values else ZERO


def long(value: int) -> bytes:
    """An int or a long, mostly a small one."""
    return LENGTHS[value] if 0 <= value < KNOWN else varint(value)


@lru_cache(maxsize=8192)
def varint(number: int) -> bytes:
    """Zigzag and variable length, as Avro writes ints and longs. Cached: lengths and times repeat."""
    rest = (number << 1) ^ (number >> 63)
    data = bytearray()
    while rest > 0x7F:
        data.append((rest & 0x7F) | 0x80)
        rest >>= 7
    data.append(rest)
    return bytes(data)


KNOWN = 1024
LENGTHS = [varint(length) for length in range(KNOWN)]
"""How the lengths of ordinary strings are written."""


def plain(*fields: str) -> Callable[[Callable[[T], str]], Callable[[T], bytes]]:
    """Of a record whose `fields` are strings and booleans: makes its encoder from a function that writes it as text.

    The text holds, for each of `fields` in order, `SHORT[len(value)]` and the value, or `FLAG[value]`. That holds for short
    ASCII strings; others are written one by one.
    """

    def encoder(as_text: Callable[[T], str]) -> Callable[[T], bytes]:
        values_of: Callable[[T], tuple[Any, ...]] = attrgetter(*fields)

        def encode(value: T) -> bytes:
            try:
                text = as_text(value)
            except IndexError:  # one is long
                text = NOT_ASCII
            if text.isascii():
                return text.encode()
            return b"".join([FLAG[each].encode() if isinstance(each, bool) else string(each) for each in values_of(value)])

        return encode

    return encoder


NOT_ASCII = "\u0080"
"""Stands for a text that cannot be had in one go."""
