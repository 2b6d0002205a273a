"""Finds where values of Avro binary end, without reading them, by a schema compiled once to closures.

It knows what `avro_writer` writes: records, strings, booleans, ints and longs, arrays, maps, and unions of null with one
other type. Bytes that are no such value raise ValueError or IndexError, or end beyond the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

Skipper: TypeAlias = Callable[[bytes, int], int]
"""(data, where a value begins) -> where it ends."""

OPTIONAL_STRING = ["null", "string"]


def compile_skipper(schema: Any) -> Skipper:
    """Skips values of this schema (JSON, parsed). Raises ValueError for types it does not know."""
    return _Compiler().compile(schema)


class _Compiler:
    def __init__(self) -> None:
        self._named: dict[str, Skipper] = {}

    def compile(self, schema: Any) -> Skipper:
        if schema == OPTIONAL_STRING:
            return _strings([True])
        if isinstance(schema, list):
            return self._union(schema)
        kind = schema["type"] if isinstance(schema, Mapping) else schema
        if kind == "record":
            self._named[schema["name"]] = skip = self._record(schema["fields"])
            return skip
        if kind == "array":
            return _items(self.compile(schema["items"]))
        if kind == "map":
            return _items(_record([skip_string, self.compile(schema["values"])]))
        if isinstance(kind, str) and (found := _PRIMITIVES.get(kind) or self._named.get(kind)):
            return found
        raise ValueError(f"cannot skip the Avro type {kind!r}")

    def _union(self, branches: list[Any]) -> Skipper:
        if len(branches) != 2 or branches[0] != "null":
            raise ValueError("a union must be of null and one other type, in this order")
        return _nullable(self.compile(branches[1]))

    def _record(self, fields: Sequence[Mapping[str, Any]]) -> Skipper:
        """Neighbouring strings are skipped in one go."""
        parts: list[Skipper] = []
        types = [field["type"] for field in fields]
        for are_strings, run in groupby(types, key=lambda kind: kind in ("string", OPTIONAL_STRING)):
            if are_strings:
                parts.append(_strings([kind == OPTIONAL_STRING for kind in run]))
            else:
                parts += map(self.compile, run)
        return parts[0] if len(parts) == 1 else _record(parts)


def _record(parts: Sequence[Skipper]) -> Skipper:
    def skip(data: bytes, at: int) -> int:
        for skip_part in parts:
            at = skip_part(data, at)
        return at

    return skip


def _strings(nullable: Sequence[bool]) -> Skipper:
    """Neighbouring strings, each nullable or not. One loop without calls: this is where the time goes."""

    def skip(data: bytes, at: int) -> int:
        for may_be_null in nullable:
            if may_be_null:
                branch = data[at]
                at += 1
                if branch == 0:
                    continue
                if branch != 2:
                    raise ValueError("there is no such branch of a union")
            length = data[at]
            at += 1
            if length & 0x80:
                second = data[at]
                if second & 0x80:
                    length, at = read_long(data, at - 1)
                    length <<= 1
                else:  # most texts of 64 bytes and more: two bytes
                    at += 1
                    length = length & 0x7F | second << 7
            if length < 0 or length & 1:
                raise ValueError("a length is negative")
            at += length >> 1
        return at

    return skip


def _nullable(skip_value: Skipper) -> Skipper:
    def skip(data: bytes, at: int) -> int:
        branch = data[at]
        if branch == 0:
            return at + 1
        if branch != 2:
            raise ValueError("there is no such branch of a union")
        return skip_value(data, at + 1)

    return skip


def _items(skip_item: Skipper) -> Skipper:
    def skip(data: bytes, at: int) -> int:
        count, at = read_count(data, at)
        while count:
            for _ in range(count):
                at = skip_item(data, at)
            count, at = read_count(data, at)
        return at

    return skip


def read_count(data: bytes, at: int) -> tuple[int, int]:
    """How many items come next in an array or map, and where they begin; 0 at its end."""
    count, at = read_long(data, at)
    if count < 0:  # then their size in bytes follows
        return -count, read_long(data, at)[1]
    return count, at


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    byte = data[at]
    at += 1
    number, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    return (number >> 1) ^ -(number & 1), at


def _skip_long(data: bytes, at: int) -> int:
    while data[at] & 0x80:
        at += 1
    return at + 1


def _skip_boolean(_data: bytes, at: int) -> int:
    return at + 1


skip_string: Skipper = _strings([False])

_PRIMITIVES: dict[str, Skipper] = {"string": skip_string, "boolean": _skip_boolean, "int": _skip_long, "long": _skip_long}
