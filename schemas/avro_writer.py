"""Writes objects as Avro binary, from a schema compiled once to closures.

Why not fastavro: for objects of many, mostly short or empty strings, such as a view, this is several times faster. It
reads attributes directly and writes a record of strings and booleans in one go. It knows what our public schemas use:
records, strings, booleans, ints and longs, arrays, maps, and unions of null with one other type; a schema with anything
else is refused when compiling. Reading is fastavro's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

Encode: TypeAlias = Callable[[Any], bytes]
Writer: TypeAlias = Callable[[bytearray, Any], None]

ZERO = b"\0"
"""What every empty value is in Avro: "", 0, false, [], {} and, as the first branch of a union, null."""

SHORT = [chr(2 * length) for length in range(64)]
"""The lengths that Avro writes in one byte, which is ASCII, so that short ASCII strings can be joined as text."""


def compile_writer(schema: Mapping[str, Any]) -> Writer:
    """A function that appends an object's encoding, as `compile_encoder` makes it."""
    encode = compile_encoder(schema)

    def write(out: bytearray, value: Any) -> None:
        out += encode(value)

    return write


def compile_encoder(schema: Mapping[str, Any]) -> Encode:
    """A function that encodes an object: the attributes of a record are the object's, by name.

    Raises ValueError for a schema with types it does not write.
    """
    return Compiler().compile(schema)


class Compiler:
    """Compiles parts of one schema: a type that was named in one part may be used in the next."""

    def __init__(self, remembered: Collection[str] = ()) -> None:
        """`remembered`: names of records that repeat and are hashable: what was last written of them is kept."""
        self._remembered = remembered
        self._records: dict[str, Encode] = {}

    def compile(self, schema: Any) -> Encode:
        """The encoder of a type. Raises ValueError, as `compile_encoder`."""
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
        if kind in self._records:
            return self._records[kind]
        raise ValueError(f"cannot write the Avro type {kind!r}")

    def _union(self, branches: list[Any]) -> Encode:
        if len(branches) != 2 or branches[0] != "null":
            raise ValueError("a union must be of null and one other type, in this order")
        return _optional_string if branches[1] == "string" else _nullable(self.compile(branches[1]))

    def fields(self, fields: Iterable[Mapping[str, Any]]) -> Encode:
        """The encoder of some neighbouring fields of a record: it is given the record's object."""
        encoders = {field["name"]: self.compile(field["type"]) for field in fields}
        if PLAIN.issuperset(encoders.values()):
            return _plain_fields(list(encoders))
        return _fields(encoders)

    def _record(self, schema: Mapping[str, Any]) -> Encode:
        encode = self.fields(schema["fields"])
        if schema["name"] in self._remembered:
            encode = lru_cache(maxsize=8192)(encode)
        self._records[schema["name"]] = encode
        return encode


def _fields(encoders: Mapping[str, Encode]) -> Encode:
    values_of = _getter(list(encoders))
    places = list(enumerate(encoders.values()))

    def encode(value: Any) -> bytes:
        values = values_of(value)
        encoded = []
        for place, encode_field in places:
            found = values[place]
            encoded.append(ZERO if found is None else encode_field(found))
        return b"".join(encoded)

    return encode


def _plain_fields(names: Sequence[str]) -> Encode:
    """Of a record that holds nothing but strings and booleans: they are written in one go."""
    values_of = _getter(names)

    def encode(value: Any) -> bytes:
        values = values_of(value)
        texts: list[str] = []
        try:
            for found in values:
                if not found:
                    texts.append("\0")
                elif found is True:
                    texts.append("\1")
                else:
                    texts.append(SHORT[len(found)])
                    texts.append(found)
            text = "".join(texts)
        except IndexError:  # one is long
            text = ""
        if text.isascii() and text:
            return text.encode()
        return b"".join([_boolean(found) if isinstance(found, bool) else _string(found) for found in values])

    return encode


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    only: Callable[[Any], Any] = attrgetter(*names)
    return lambda value: (only(value),)


def _nullable(encode_value: Encode) -> Encode:
    def encode(value: Any) -> bytes:
        return ZERO if value is None else b"\x02" + encode_value(value)

    return encode


def _array(encode_item: Encode) -> Encode:
    def encode(values: Sequence[Any]) -> bytes:
        if not values:
            return ZERO
        encoded = [_long(len(values))]
        for value in values:
            encoded.append(encode_item(value))  # noqa: PERF401 - of one or two items, a comprehension costs more
        encoded.append(ZERO)
        return b"".join(encoded)

    return encode


def _map(encode_value: Encode) -> Encode:
    def encode(values: Mapping[str, Any]) -> bytes:
        if not values:
            return ZERO
        encoded = [_long(len(values))]
        for key, value in values.items():
            encoded.append(_string(key))
            encoded.append(encode_value(value))
        encoded.append(ZERO)
        return b"".join(encoded)

    return encode


def _string(value: str) -> bytes:
    data = value.encode()
    try:
        return LENGTHS[len(data)] + data
    except IndexError:  # it is long
        return varint(len(data)) + data


def _optional_string(value: str | None) -> bytes:
    return ZERO if value is None else b"\x02" + _string(value)


def _boolean(value: bool) -> bytes:
    return b"\x01" if value else ZERO


def _long(value: int) -> bytes:
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

PLAIN: frozenset[Encode] = frozenset([_string, _boolean])
"""Neighbours of these are written in one go."""

_PRIMITIVES: dict[str, Encode] = {"string": _string, "boolean": _boolean, "int": _long, "long": _long}
