"""Rows larger than a record of the table topic should be: stored as a head and parts, and read whole.

    <key>                             the head: `MAGIC`, then how many bytes and parts
    ENGINE part/<key><number>         a part of the value, in order; the number in 4 bytes
    ENGINE split/<key>                says that the row is split, and into how many parts

All of them are rows of the store and records of its table topic like any other, written in one transaction. A processor sees
none of this: `Overlay` gives it whole values. An older singleview takes a head for a row of a newer version, and stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from streams.engine.contract import ENGINE

PART_BYTES = 1 << 20
"""A row up to this size is stored as it is. Far below what a topic takes as one message (10 MiB), and what brokers are often
set to at least."""

MARK = b"\xfe"
MAGIC = MARK + b"split\x01"
"""Beginning of a head. No row of singleview begins so; one that does is split, whatever its size."""

PARTS = ENGINE + b"part/"
SPLIT = ENGINE + b"split/"

_NUMBER_BYTES = 4


class Rows(Protocol):
    """Where parts are read."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]: ...


class _Head(msgspec.Struct, frozen=True, array_like=True):
    size: int
    parts: int


_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_count = msgspec.msgpack.Decoder(int).decode


class MissingPartError(Exception):
    """A row lacks a part of its value: the store is damaged."""


def is_head(value: bytes | None) -> bool:
    """Whether a stored value is the head of a split one."""
    return value is not None and value[:1] == MARK and value.startswith(MAGIC)


def whole(key: bytes, head: bytes, rows: Rows) -> bytes:
    """The value of a split row. Raises MissingPartError."""
    told = _decode_head(head[len(MAGIC) :])
    parts = rows.get_many([_part_key(key, number) for number in range(told.parts)])
    value = b"".join([part for part in parts if part is not None])
    if None in parts or len(value) != told.size:
        raise MissingPartError("a part of a large row is missing")
    return value


def stored(writes: Mapping[bytes, bytes | None], split: Mapping[bytes, int]) -> Mapping[bytes, bytes | None]:
    """Rows as they are stored. `split`: the keys that are split in the store, and into how many parts."""
    large = [key for key, value in writes.items() if value is not None and (len(value) > PART_BYTES or is_head(value))]
    were = [key for key in split if key in writes]
    if not large and not were:
        return writes
    rows = dict(writes)
    for key in were:
        rows[SPLIT + key] = None
        rows |= {_part_key(key, number): None for number in range(split[key])}
    for key in large:
        value = writes[key]
        assert value is not None
        parts = [value[start : start + PART_BYTES] for start in range(0, len(value), PART_BYTES)]
        rows[key] = MAGIC + _encode(_Head(len(value), len(parts)))
        rows[SPLIT + key] = _encode(len(parts))
        rows |= {_part_key(key, number): part for number, part in enumerate(parts)}
    return rows


def split_rows(rows: Iterable[tuple[bytes, bytes | None]]) -> dict[bytes, int]:
    """By key, how many parts the rows under `SPLIT` speak of; 0: it is split no more."""
    return {key[len(SPLIT) :]: 0 if value is None else _decode_count(value) for key, value in rows}


def _part_key(key: bytes, number: int) -> bytes:
    return PARTS + key + number.to_bytes(_NUMBER_BYTES, "big")
