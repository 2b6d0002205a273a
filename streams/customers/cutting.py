"""How much of an attribute is published: all of it, unless it is too large for one message beside the others. Pure.

Each attribute has bytes of its own, whatever the others take, so that one that did not change is copied as it is. With
`ATTRIBUTE_BYTES` and `VALUE_BYTES` for each, a view and a change stay below `schemas.topics.LARGEST_PUBLIC_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from schemas.view import Sourced

ATTRIBUTE_BYTES = 131_072
"""Of one attribute in a view, encoded, with its provenance."""

VALUE_BYTES = 49_152
"""Of one attribute in a change, before or after: JSON text. Room for any one element whose texts are `TEXT_BYTES` long."""

TEXT_BYTES = 4_096
"""To which texts are shortened, as JSON, in an attribute that would be too large."""

SURELY_FITS = 8_000
"""An encoded attribute of so many bytes is at most `VALUE_BYTES` as JSON, where one byte may take six: it is whole."""

MEMBERS = 200
"""Records that a view lists, at most."""

IDS = 1_000
"""Ids that a change lists as absorbed or split off, at most."""

V = TypeVar("V")
Encode = Callable[[str, Any], bytes]


class Cut(NamedTuple):
    """An attribute as it is published."""

    value: Any
    piece: bytes  # encoded; empty for an empty one
    total: int | None = None  # how many elements there were, if some were left out
    shortened: bool = False  # whether a text lacks its end


def cut(name: str, value: Any, piece: bytes, encode: Encode) -> Cut:
    """What of an attribute's value is published: of a list, the first elements.

    `value` is as survivorship found it (one sourced value, a tuple of them, or a dict), `piece` all of it, encoded.
    """
    if _fits(piece, value):
        return Cut(value, piece)
    if isinstance(value, Sourced):
        one = _shortened(value)
        return Cut(one, encode(name, one), shortened=one is not value)
    kept: Mapping[str, Sourced[str]] | tuple[Sourced[Any], ...]
    if isinstance(value, Mapping):
        kept = dict(_characteristics(name, value, encode))
        shortened = any(sourced is not value[key] for key, sourced in kept.items())
    else:
        kept = tuple(_elements(name, value, encode))
        shortened = any(now is not was for now, was in zip(kept, value, strict=False))
    total = len(value) if len(kept) < len(value) else None
    return Cut(kept, encode(name, kept) if kept else b"", total, shortened)


def first_members(members: Sequence[str]) -> tuple[str, ...]:
    """The records that a view lists."""
    shown = tuple(members[:MEMBERS])
    if sum(map(len, shown)) * 6 <= VALUE_BYTES:
        return shown
    room = VALUE_BYTES
    for count, member in enumerate(shown):
        room -= _json_bytes(member) + 1
        if room < 0:
            return shown[:count]
    return shown


def _fits(piece: bytes, value: Any) -> bool:
    if len(piece) > ATTRIBUTE_BYTES:
        return False
    if isinstance(value, Mapping):
        return sum(_told_bytes(key, sourced) for key, sourced in value.items()) <= VALUE_BYTES
    if isinstance(value, Sourced):
        return _json_bytes(value.value) <= VALUE_BYTES
    return _json_bytes([element.value for element in value]) <= VALUE_BYTES


def _elements(name: str, value: Sequence[Sourced[Any]], encode: Encode) -> Iterable[Sourced[Any]]:
    """The first elements, as far as they fit."""
    encoded, told = ATTRIBUTE_BYTES - 16, VALUE_BYTES - 2
    for whole in value:
        element = _shortened(whole)
        encoded -= len(encode(name, (element,)))
        told -= _json_bytes(element.value) + 1
        if encoded < 0 or told < 0:
            return
        yield element


def _characteristics(name: str, value: Mapping[str, Sourced[str]], encode: Encode) -> Iterable[tuple[str, Sourced[str]]]:
    """Those that still fit, by their keys: a huge one is left out alone."""
    encoded, told = ATTRIBUTE_BYTES - 16, VALUE_BYTES
    for key, whole in value.items():
        sourced = _shortened(whole)
        more, more_told = len(encode(name, {key: sourced})), _told_bytes(key, sourced)
        if more <= encoded and more_told <= told:
            encoded -= more
            told -= more_told
            yield key, sourced


def _told_bytes(key: str, sourced: Sourced[str]) -> int:
    """Of a characteristic in a change, with its name there."""
    return len(key.encode()) + 32 + _json_bytes(sourced.value)


def _shortened(sourced: Sourced[V]) -> Sourced[V]:
    """Without the ends of long texts; the same object if it has none."""
    value: Any = sourced.value
    if isinstance(value, str):
        short: Any = _shorten(value)
        return sourced if short is value else Sourced(short, sourced.provenance)
    changed = {
        field: short
        for field in value.__struct_fields__
        if isinstance(text := getattr(value, field), str) and (short := _shorten(text)) is not text
    }
    return Sourced(msgspec.structs.replace(value, **changed), sourced.provenance) if changed else sourced


def _shorten(text: str) -> str:
    """The beginning of a text, at most `TEXT_BYTES` as JSON."""
    if len(text) * 6 <= TEXT_BYTES:
        return text
    while (size := _json_bytes(text)) > TEXT_BYTES:
        text = text[: min(len(text) - 1, len(text) * TEXT_BYTES // size)]
    return text


def _json_bytes(value: Any) -> int:
    return len(_to_json(value))


_to_json = msgspec.json.Encoder().encode
