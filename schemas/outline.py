"""The outline of an encoded change: all that most subscriptions look at, found without reading the change whole."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import fastavro
import msgspec

from schemas.avro_skipper import Skipper, compile_skipper, read_count, read_long
from schemas.avro_writer import varint
from schemas.view import AttributeChange

BAD_BYTES = (ValueError, IndexError, EOFError)
"""What an `Outliner` raises for bytes that are no change."""


class Part(NamedTuple):
    """The change of one attribute."""

    attribute: str
    encoded: bytes


class Outline(NamedTuple):
    """Where the parts of an encoded change are."""

    event_type: str
    realm: str
    parts: list[Part]
    data: bytes
    start: int  # of the parts in `data`
    end: int

    def only(self, parts: list[Part]) -> bytes:
        """The encoded change with these of its parts."""
        count = varint(len(parts)) if parts else b""
        encoded = [part.encoded for part in parts]
        return b"".join((self.data[: self.start], count, *encoded, b"\0", self.data[self.end :]))


class Outliner:
    """Outlines changes of one schema."""

    def __init__(self, schema: Mapping[str, Any], start: int) -> None:
        """`schema` is an Avro record, parsed, with the fields of `CustomerChange`; `start`: where the binary begins."""
        names = [field["name"] for field in schema["fields"]]
        kind, realm, changes = (names.index(name) for name in ("event_type", "realm", "changes"))
        assert kind < realm < changes
        part = schema["fields"][changes]["type"]["items"]
        assert (part["fields"][0]["name"], part["fields"][0]["type"]) == ("attribute", "string")
        self._start = start
        self._before_kind = _skipper(schema["fields"][:kind])
        self._before_realm = _skipper(schema["fields"][kind + 1 : realm])
        self._before_parts = _skipper(schema["fields"][realm + 1 : changes])
        self._in_part = _skipper(part["fields"][1:])
        self._after = _skipper(schema["fields"][changes + 1 :])
        self._part_schema = part

    def outline(self, data: bytes) -> Outline:
        """Raises one of BAD_BYTES for bytes that are no change; the texts it skips are not looked at."""
        event_type, at = _text(data, self._before_kind(data, self._start))
        realm, start = _text(data, self._before_realm(data, at))
        start = self._before_parts(data, start)
        parts, end = self._parts(data, start)
        if self._after(data, end) > len(data):
            raise ValueError("the data ends within a change")
        return Outline(event_type, realm, parts, data, start, end)

    def decode(self, part: Part) -> AttributeChange:
        """Raises one of BAD_BYTES."""
        found = fastavro.schemaless_reader(io.BytesIO(part.encoded), self._part_schema, None)
        return msgspec.convert(found, AttributeChange)

    def _parts(self, data: bytes, at: int) -> tuple[list[Part], int]:
        parts = []
        skip_rest = self._in_part
        count, at = read_count(data, at)
        while count:
            for _ in range(count):
                start, length = at, data[at]
                if length & 0x81:
                    attribute, at = _text(data, at)
                else:  # as it does, without the calls: the names of attributes are short
                    at = start + 1 + (length >> 1)
                    attribute = data[start + 1 : at].decode()
                at = skip_rest(data, at)
                parts.append(Part(attribute, data[start:at]))
            count, at = read_count(data, at)
        return parts, at


def _skipper(fields: Iterable[Mapping[str, Any]]) -> Skipper:
    return compile_skipper({"type": "record", "name": "", "fields": list(fields)})


def _text(data: bytes, at: int) -> tuple[str, int]:
    length, start = read_long(data, at)
    end = start + length
    if length < 0:
        raise ValueError("a length is negative")
    return data[start:end].decode(), end
