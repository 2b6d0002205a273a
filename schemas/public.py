"""The public topics' codec: Avro in Confluent's wire format (a zero byte, the schema's id in four, the binary)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import fastavro
import msgspec

from schemas.change_writer import encode_change, encode_part
from schemas.outline import BAD_BYTES, Outline, Outliner, Part
from schemas.registry import SchemaRegistry
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW, subscriber_topic
from schemas.view import AttributeChange, CustomerChange, CustomerView
from schemas.view_writer import encode_piece, encode_view, format_of_pieces, join_pieces

FOLDER = Path(__file__).with_name("avro")
VIEW_SCHEMA = (FOLDER / "customer-view.avsc").read_text(encoding="utf-8")
CHANGE_SCHEMA = (FOLDER / "customer-change.avsc").read_text(encoding="utf-8")

FORMAT = format_of_pieces(json.loads(VIEW_SCHEMA))

MAGIC = 0
HEADER_BYTES = 5

T = TypeVar("T")


class PublicFormatError(Exception):
    """Bytes are not a message of this public topic. The message says what, and holds no value."""


class PublicCodec:
    """Writes and reads views and changes; registers their schemas when made.

    Subjects follow Confluent's topic name strategy: `<prefix><topic>-value`. Raises RegistryError when the registry
    refuses a schema or cannot be reached, on making and on reading a message of a schema not yet seen.
    """

    def __init__(self, registry: SchemaRegistry, prefix: str = "", subscribers: Iterable[str] = ()) -> None:
        self._registry = registry
        view_id = registry.register(f"{prefix}{CUSTOMER_VIEW}-value", VIEW_SCHEMA)
        self._view = _Format(CustomerView, VIEW_SCHEMA, view_id, encode_view)
        change_id = registry.register(f"{prefix}{CUSTOMER_CHANGES}-value", CHANGE_SCHEMA)
        self._change = _Format(CustomerChange, CHANGE_SCHEMA, change_id, encode_change)
        self._outliner = Outliner(parse(CHANGE_SCHEMA), HEADER_BYTES)
        for subscriber in subscribers:
            registry.register(f"{prefix}{subscriber_topic(subscriber)}-value", CHANGE_SCHEMA)

    def encode_view(self, view: CustomerView) -> bytes:
        return self._view.encode(view)

    @property
    def format(self) -> str:
        """Of the pieces: those of another must not be mixed with them."""
        return FORMAT

    def encode_attribute(self, name: str, value: Any) -> bytes:
        """One attribute of a view, as a piece for `encode_pieces`; empty for an empty one."""
        return encode_piece(name, value)

    def encode_pieces(self, view: CustomerView, pieces: Mapping[str, bytes]) -> bytes:
        """A view whose attributes are encoded already, by name; those in `view` itself are not looked at."""
        return self._view.header + join_pieces(view, pieces)

    def encode_change(self, change: CustomerChange) -> bytes:
        """A change, for `customer-changes` and for every subscriber's topic: their schema is one, so its id is one."""
        return self._change.encode(change)

    def decode_view(self, data: bytes) -> CustomerView:
        """Raises PublicFormatError, UnknownSchemaError, RegistryError."""
        return self._view.decode(data, self._registry)

    def decode_change(self, data: bytes) -> CustomerChange:
        """Raises PublicFormatError, UnknownSchemaError, RegistryError."""
        return self._change.decode(data, self._registry)

    def outline_change(self, data: bytes) -> Outline:
        """What `decode_change` reads, only outlined: several times faster. Raises as it does."""
        if not self._change.wrote(data):
            data = self.encode_change(self.decode_change(data))
        try:
            return self._outliner.outline(data)
        except BAD_BYTES as error:
            raise PublicFormatError(f"CustomerChange: bytes do not fit its schema ({type(error).__name__})") from None

    def decode_part(self, part: Part) -> AttributeChange:
        """One part of an outline, read. Raises PublicFormatError."""
        try:
            return self._outliner.decode(part)
        except BAD_BYTES as error:
            raise PublicFormatError(f"AttributeChange: bytes do not fit its schema ({type(error).__name__})") from None

    def encode_part(self, change: AttributeChange) -> Part:
        return Part(change.attribute, encode_part(change))


class _Format(Generic[T]):
    """One type in one schema, and the older and newer schemas met in reading."""

    def __init__(self, of: type[T], schema: str, schema_id: int, encode: Callable[[T], bytes]) -> None:
        self._type = of
        self.header = bytes([MAGIC]) + schema_id.to_bytes(4, "big")
        self._encode = encode
        self._reader = parse(schema)
        self._writers: dict[int, Any] = {schema_id: self._reader}

    def encode(self, value: T) -> bytes:
        return self.header + self._encode(value)

    def wrote(self, data: bytes) -> bool:
        """Whether these bytes are in the newest schema."""
        return data.startswith(self.header)

    def decode(self, data: bytes, registry: SchemaRegistry) -> T:
        if len(data) < HEADER_BYTES or data[0] != MAGIC:
            raise PublicFormatError(f"{self._type.__name__}: not in Confluent's wire format")
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        writer = self._writers.get(schema_id)
        if writer is None:
            writer = self._writers[schema_id] = parse(registry.schema(schema_id))
        body = io.BytesIO(memoryview(data)[HEADER_BYTES:])
        try:
            found = fastavro.schemaless_reader(body, writer, None if writer is self._reader else self._reader)
            return msgspec.convert(found, self._type)
        except (fastavro.read.SchemaResolutionError, EOFError, ValueError, IndexError, TypeError, OverflowError) as error:
            what = f"{self._type.__name__}: bytes do not fit schema {schema_id} ({type(error).__name__})"
            raise PublicFormatError(what) from None


def parse(schema: str) -> Any:
    """A schema for fastavro, without logical types: times stay milliseconds."""
    return fastavro.parse_schema(_plain(json.loads(schema)))


def _plain(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _plain(part) for name, part in schema.items() if name != "logicalType"}
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    return schema
