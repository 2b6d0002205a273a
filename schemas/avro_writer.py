"""Writes objects as Avro binary, from a schema compiled once to closures.

Why not fastavro: for objects of many, mostly short or empty strings, such as a view, this is several times faster. It
reads attributes directly and writes neighbouring strings in one go. It knows what our public schemas use: records,
strings, booleans, ints and longs, arrays, maps, and unions of null with one other type; a schema with anything else is
refused when compiling. Reading is fastavro's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

Writer: TypeAlias = Callable[[bytearray, Any], None]

Part: TypeAlias = tuple[int | slice, bool, Writer]
"""Of a record: which of its fields, whether they are nullable (so that an empty value is not null), and their writer."""

ZERO = b"\0"
"""What every empty value is in Avro: "", 0, false, [], {} and, as the first branch of a union, null."""

SHORT = [chr(2 * length) for length in range(64)]
"""The lengths that Avro writes in one byte, which is ASCII, so that short ASCII strings can be joined as text."""


def compile_writer(schema: Mapping[str, Any], repeated: Collection[str] = ()) -> Writer:
    """A function that appends an object's encoding: the attributes of a record are the object's, by name.

    `repeated` names records whose objects are hashable and often equal: their latest encodings are kept. Raises
    ValueError for a schema with types it does not write.
    """
    return _Compiler(repeated).compile(schema)


class _Compiler:
    def __init__(self, repeated: Collection[str]) -> None:
        self._repeated = repeated
        self._named: dict[str, Writer] = {}

    def compile(self, schema: Any) -> Writer:
        if isinstance(schema, list):
            return self._union(schema)
        kind = schema["type"] if isinstance(schema, Mapping) else schema
        if kind == "record":
            return self._record(schema)
        if kind == "array":
            return _array(self.compile(schema["items"]))
        if kind == "map":
            return _map(self.compile(schema["values"]))
        if kind in _PRIMITIVES:
            return _PRIMITIVES[kind]
        if kind in self._named:
            return self._named[kind]
        raise ValueError(f"cannot write the Avro type {kind!r}")

    def _union(self, branches: list[Any]) -> Writer:
        if len(branches) != 2 or branches[0] != "null":
            raise ValueError("a union must be of null and one other type, in this order")
        return _optional_string if branches[1] == "string" else _nullable(self.compile(branches[1]))

    def _record(self, schema: Mapping[str, Any]) -> Writer:
        name, fields = schema["name"], schema["fields"]
        write = _fields([field["name"] for field in fields], list(self._parts(fields)))
        self._named[name] = _kept(write) if name in self._repeated else write
        return self._named[name]

    def _parts(self, fields: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
        """Neighbouring strings are one part, any other field is one."""
        start = 0
        for is_string, run in groupby(fields, key=lambda field: field["type"] == "string"):
            for group in [list(run)] if is_string else [[field] for field in run]:
                place = slice(start, start + len(group))
                start += len(group)
                kind = group[0]["type"]
                if len(group) > 1:
                    yield place, False, _strings
                else:
                    yield start - 1, isinstance(kind, list), self.compile(kind)


def _fields(names: Sequence[str], parts: Sequence[Part]) -> Writer:
    values_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*names, names[0])  # two or more, so that it gives a tuple

    def write(out: bytearray, value: Any) -> None:
        values = values_of(value)
        for place, nullable, write_part in parts:
            found = values[place]
            if found or nullable:
                write_part(out, found)
            else:
                out += ZERO

    return write


def _strings(out: bytearray, values: tuple[str, ...]) -> None:
    try:
        text = "".join([SHORT[len(value)] + value for value in values])
    except IndexError:  # one is long
        text = ""
    if text.isascii() and text:
        out += text.encode("ascii")
    else:
        for value in values:
            _string(out, value)


def _nullable(write_value: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out += ZERO
        else:
            out += b"\x02"
            write_value(out, value)

    return write


def _kept(write_value: Writer) -> Writer:
    @lru_cache(maxsize=4096)
    def encoded(value: Any) -> bytes:
        out = bytearray()
        write_value(out, value)
        return bytes(out)

    def write(out: bytearray, value: Any) -> None:
        out += encoded(value)

    return write


def _array(write_item: Writer) -> Writer:
    def write(out: bytearray, values: Sequence[Any]) -> None:
        if values:
            out += varint(len(values))
            for value in values:
                write_item(out, value)
        out += ZERO

    return write


def _map(write_value: Writer) -> Writer:
    def write(out: bytearray, values: Mapping[str, Any]) -> None:
        if values:
            out += varint(len(values))
            for key, value in values.items():
                _string(out, key)
                write_value(out, value)
        out += ZERO

    return write


def _string(out: bytearray, value: str) -> None:
    data = value.encode()
    out += varint(len(data))
    out += data


def _optional_string(out: bytearray, value: str | None) -> None:
    if value is None:
        out += ZERO
    else:
        data = value.encode()
        out += b"\x02" + varint(len(data)) + data


def _boolean(out: bytearray, value: bool) -> None:
    out += b"\x01" if value else ZERO


def _long(out: bytearray, value: int) -> None:
    out += varint(value)


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


_PRIMITIVES: dict[str, Writer] = {"string": _string, "boolean": _boolean, "int": _long, "long": _long}
