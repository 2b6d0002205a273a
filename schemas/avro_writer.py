"""Writes objects as Avro binary, from a schema compiled once to closures.

Why not fastavro: for objects of many, mostly short or empty strings, such as a view, this is several times faster. It
reads attributes directly and writes neighbouring strings in one go. It knows what our public schemas use: records,
strings, booleans, ints and longs, arrays, maps, and unions of null with one other type; a schema with anything else is
refused when compiling. Reading is fastavro's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

Writer: TypeAlias = Callable[[bytearray, Any], None]

Part: TypeAlias = tuple[int | slice, bool, Writer]
"""Of a record: which of its fields, whether they are nullable (so that an empty value is not null), and their writer."""

ZERO = b"\0"
"""What every empty value is in Avro: "", 0, false, [], {} and, as the first branch of a union, null."""

SHORT = [chr(2 * length) for length in range(64)]
"""The lengths that Avro writes in one byte, which is ASCII, so that short ASCII strings can be joined as text."""


def compile_writer(schema: Mapping[str, Any]) -> Writer:
    """A function that appends an object's encoding: the attributes of a record are the object's, by name.

    Raises ValueError for a schema with types it does not write.
    """
    return Compiler().compile(schema)


class _Leaf(NamedTuple):
    """A field of a record, or of a record in it, which is written as if its fields were the outer one's."""

    path: str  # where the value is found from the object
    nullable: bool  # so that an empty value is not null
    write: Writer


class Compiler:
    """Compiles parts of one schema: a type that was named in one part may be used in the next."""

    def __init__(self, remembered: Collection[str] = ()) -> None:
        """`remembered`: names of records that repeat and are hashable: what was last written of them is kept."""
        self._remembered = remembered
        self._writers: dict[str, Writer] = {}
        self._leaves: dict[str, list[_Leaf]] = {}

    def compile(self, schema: Any) -> Writer:
        """The writer of a type. Raises ValueError, as `compile_writer`."""
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
        if kind in self._writers:
            return self._writers[kind]
        raise ValueError(f"cannot write the Avro type {kind!r}")

    def _union(self, branches: list[Any]) -> Writer:
        if len(branches) != 2 or branches[0] != "null":
            raise ValueError("a union must be of null and one other type, in this order")
        return _optional_string if branches[1] == "string" else _nullable(self.compile(branches[1]))

    def fields(self, fields: Iterable[Mapping[str, Any]]) -> Writer:
        """The writer of some neighbouring fields of a record: it is given the record's object."""
        return _fields(self._leaves_in(fields))

    def _record(self, schema: Mapping[str, Any]) -> Writer:
        name = schema["name"]
        leaves = self._leaves_in(schema["fields"])
        write = _fields(leaves)
        if name in self._remembered:
            write = _remembering(write)
        else:
            self._leaves[name] = leaves
        self._writers[name] = write
        return write

    def _leaves_in(self, fields: Iterable[Mapping[str, Any]]) -> list[_Leaf]:
        return [leaf for field in fields for leaf in self._leaves_of(field["name"], field["type"])]

    def _leaves_of(self, path: str, kind: Any) -> list[_Leaf]:
        write = self.compile(kind)
        name = kind.get("name") if isinstance(kind, Mapping) else kind
        if isinstance(name, str) and name in self._leaves:
            return [leaf._replace(path=f"{path}.{leaf.path}") for leaf in self._leaves[name]]
        return [_Leaf(path, isinstance(kind, list), write)]


def _parts(leaves: Sequence[_Leaf]) -> Iterator[Part]:
    """Neighbouring strings are one part, any other leaf is one."""
    start = 0
    for is_string, run in groupby(leaves, key=lambda leaf: leaf.write is _string):
        group = list(run)
        if is_string and len(group) > 1:
            yield slice(start, start + len(group)), False, _strings
        else:
            yield from ((place, leaf.nullable, leaf.write) for place, leaf in enumerate(group, start))
        start += len(group)


def _fields(leaves: Sequence[_Leaf]) -> Writer:
    paths = [leaf.path for leaf in leaves]
    values_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*paths, paths[0])  # two or more, so that it gives a tuple
    parts = list(_parts(leaves))

    def write(out: bytearray, value: Any) -> None:
        values = values_of(value)
        for place, nullable, write_part in parts:
            found = values[place]
            if found or (nullable and found is not None):
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
        out += text.encode()
    else:
        for value in values:
            _string(out, value)


def _remembering(write_value: Writer) -> Writer:
    @lru_cache(maxsize=8192)
    def written(value: Any) -> bytes:
        data = bytearray()
        write_value(data, value)
        return bytes(data)

    def write(out: bytearray, value: Any) -> None:
        out += written(value)

    return write


def _nullable(write_value: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out += ZERO
        else:
            out += b"\x02"
            write_value(out, value)

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
    size = len(data)
    out += LENGTHS[size] if size < KNOWN else varint(size)
    out += data


def _optional_string(out: bytearray, value: str | None) -> None:
    if value is None:
        out += ZERO
    else:
        out += b"\x02"
        _string(out, value)


def _boolean(out: bytearray, value: bool) -> None:
    out += b"\x01" if value else ZERO


def _long(out: bytearray, value: int) -> None:
    out += LENGTHS[value] if 0 <= value < KNOWN else varint(value)


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

_PRIMITIVES: dict[str, Writer] = {"string": _string, "boolean": _boolean, "int": _long, "long": _long}
