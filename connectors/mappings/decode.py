"""A message's bytes to a document: JSON, or Avro in the Confluent wire format or with its schema named in a header."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from decimal import DecimalException
from typing import Any
from uuid import UUID

import fastavro
import msgspec
from fastavro.read import LOGICAL_READERS
from fastavro.schema import SchemaParseException, UnknownType

from connectors.mappings.avro_schemas import contains_itself, promises_for_nothing
from connectors.mappings.foreign import long_id, not_avro
from connectors.mappings.json_bytes import read_json
from connectors.mappings.keys import key_document
from connectors.mappings.model import Format
from schemas.registry import SchemaRegistry, UnknownSchemaError
from streams.engine.contract import Message, RejectedError

MAX_BYTES = 1_000_000

_MAGIC = 0
_HEADER = 5  # magic byte and schema id
_GUID_MAGIC = 1  # in a header
_GUID_BYTES = 17

_BAD_AVRO = (
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    DecimalException,
    MemoryError,
    RecursionError,
    struct.error,
)
"""What fastavro raises, by the place where bytes that are not of the schema lead it."""


class Decoder:
    """Decodes messages of one format. Schemas are parsed once: their ids are stable for ever."""

    def __init__(self, format: Format, registry: SchemaRegistry | None = None, max_bytes: int = MAX_BYTES) -> None:
        """`registry` is needed for the Avro formats only; `max_bytes` is per key and per value.

        Raises ValueError without a registry that is needed, and for a format of files.
        """
        if format == "csv":
            raise ValueError("the format csv is for files, not for messages")
        avro = format in {"avro", "debezium-avro"}
        if avro and registry is None:
            raise ValueError(f"the format {format} needs a schema registry")
        self._registry = registry
        self._max_bytes = max_bytes
        self._schemas: dict[int | UUID, Any] = {}
        self._is_avro = avro
        self._decode: Callable[[bytes], object] = self._avro if avro else read_json

    def value(self, message: Message) -> object:
        """The document of a message; None for a tombstone.

        Raises RejectedError (malformed-json, malformed-avro, unknown-schema, too-large), and RegistryError, which is
        transient: the registry could not be reached, try the message again.
        """
        return self._part(message, message.value, "value")

    def key(self, message: Message) -> object:
        """The document in a message's key: Avro, JSON or text, whatever its value is; None without one.

        Raises as `value` does.
        """
        return self._part(message, message.key, "key")

    def schema_name(self, message: Message) -> str:
        """The full name of the schema that a message's value was written with; empty if it is not Avro."""
        if not self._is_avro or message.value is None:
            return ""
        guid = _guid(message, "value")
        schema = self._schema_of_guid(guid) if guid else self._schema(int.from_bytes(message.value[1:_HEADER], "big"))
        return str(schema.get("name", "")) if isinstance(schema, dict) else ""

    def _part(self, message: Message, data: bytes | None, part: str) -> object:
        if data is None:
            return None
        if len(data) > self._max_bytes:
            raise RejectedError("too-large", f"the {part} is larger than {self._max_bytes:,} bytes")
        try:
            if self._is_avro and message.headers and (guid := _guid(message, part)):
                return self._datum(data, 0, self._schema_of_guid(guid))
            return key_document(data, self._decode, avro=self._is_avro) if part == "key" else self._decode(data)
        except RejectedError as error:
            raise RejectedError(error.reason, f"the {part}: {error.detail}") from None  # it may quote the data

    def _avro(self, data: bytes) -> object:
        if len(data) < _HEADER or data[0] != _MAGIC or long_id(data):
            raise not_avro(data)
        return self._datum(data, _HEADER, self._schema(int.from_bytes(data[1:_HEADER], "big")))

    def _datum(self, data: bytes, start: int, schema: Any) -> object:
        stream = io.BytesIO(data)
        stream.seek(start)
        try:
            document: object = fastavro.schemaless_reader(stream, schema, None)
        except _BAD_AVRO as error:
            raise RejectedError("malformed-avro", f"the bytes are not of their schema ({type(error).__name__})") from None
        if stream.tell() != len(data):
            raise RejectedError("malformed-avro", "bytes are left over after the schema's last field")
        return document

    def _schema(self, schema_id: int) -> Any:
        schema = self._schemas.get(schema_id)
        if schema is not None:
            return schema
        assert self._registry is not None
        try:
            schema = _parsed(self._registry.schema(schema_id), str(schema_id))
        except UnknownSchemaError as error:  # it says whether there is none, or one that is not Avro's
            raise RejectedError("unknown-schema", str(error)) from error
        self._schemas[schema_id] = schema
        return schema

    def _schema_of_guid(self, guid: UUID) -> Any:
        schema = self._schemas.get(guid)
        if schema is not None:
            return schema
        find = getattr(self._registry, "schema_by_guid", None)
        if find is None:
            raise RejectedError("unknown-schema", "a header names the schema by its GUID, which this registry does not know")
        try:
            schema = _parsed(find(str(guid)), str(guid))
        except UnknownSchemaError as error:
            raise RejectedError("unknown-schema", f"schema {guid}, which a header names: {error}") from error
        self._schemas[guid] = schema
        return schema


def _parsed(text: str, name: str) -> Any:
    try:
        schema = fastavro.parse_schema(msgspec.json.decode(text))
    except (SchemaParseException, UnknownType, msgspec.DecodeError, RecursionError) as error:
        raise RejectedError("unknown-schema", f"schema {name} is not an Avro schema") from error
    if contains_itself(schema):
        raise RejectedError("unknown-schema", f"schema {name} contains itself, which is not supported")
    if promises_for_nothing(schema):
        raise RejectedError(
            "unknown-schema", f"schema {name} has a list of items without any content, of which few bytes promise millions"
        )
    return schema


def _guid(message: Message, part: str) -> UUID | None:
    """The schema's GUID, where a header has it: then the bytes are the datum alone."""
    for name, value in message.headers:
        if name == f"__{part}_schema_id" and value is not None and len(value) == _GUID_BYTES and value[0] == _GUID_MAGIC:
            return UUID(bytes=value[1:])
    return None


def _decimal(data: bytes, writer_schema: Any = None, reader_schema: Any = None) -> Any:
    """As fastavro reads one, but of bounded length: the time it takes grows with the square of that."""
    if len(data) > _MOST_DECIMAL_BYTES:
        raise ValueError("a decimal that is too long")
    return _read_decimal(data, writer_schema, reader_schema)


_read_decimal = LOGICAL_READERS["bytes-decimal"]
_MOST_DECIMAL_BYTES = 128  # 308 digits
LOGICAL_READERS["bytes-decimal"] = LOGICAL_READERS["fixed-decimal"] = _decimal
