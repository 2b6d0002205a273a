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
        return _nullable(self.compile(branches[1]))

    def _record(self, schema: Mapping[str, Any]) -> Writer:
        name = schema["name"]
        write = _in_turn(list(self._parts(schema["fields"])))
        self._named[name] = _kept(write) if name in self._repeated else write
        return self._named[name]

    def _parts(self, fields: Sequence[Mapping[str, Any]]) -> Iterator[Writer]:
        """Writers of a record's parts, each given the whole object: neighbouring strings are one part, others one each."""
        for is_string, run in groupby(fields, key=lambda field: field["type"] == "string"):
            if is_string:
                yield _strings([field["name"] for field in run])
            else:
                for field in run:
                    make = _nullable_field if isinstance(field["type"], list) else _field
                    yield make(field["name"], self.compile(field["type"]))


def _nullable(write_value: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out += ZERO
        else:
            out += b"\x02"
            write_value(out, value)

    return write


def _in_turn(parts: Sequence[Writer]) -> Writer:
    if len(parts) == 2:  # most records of a view
        first, second = parts

        def write_two(out: bytearray, value: Any) -> None:
            first(out, value)
            second(out, value)

        return write_two

    def write(out: bytearray, value: Any) -> None:
        for write_part in parts:
            write_part(out, value)

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


def _strings(names: Sequence[str]) -> Writer:
    values_of: Callable[[Any], tuple[str, ...]] = attrgetter(*names, *names[:1])  # two or more give a tuple, also for one
    count = len(names)

    def write(out: bytearray, value: Any) -> None:
        values = values_of(value)[:count]
        try:
            text = "".join([SHORT[len(text)] + text for text in values])
        except IndexError:  # one is long
            text = ""
        if text.isascii() and text:
            out += text.encode("ascii")
        else:
            for each in values:
                _string(out, each)

    return write


def _field(name: str, write_value: Writer) -> Writer:
    get = attrgetter(name)

    def write(out: bytearray, value: Any) -> None:
        found = get(value)
        if found:
            write_value(out, found)
        else:
            out += ZERO

    return write


def _nullable_field(name: str, write_value: Writer) -> Writer:
    """An empty value is not null."""
    get = attrgetter(name)

    def write(out: bytearray, value: Any) -> None:
        write_value(out, get(value))

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
