"""A message's bytes to a document: JSON, or Avro in the Confluent wire format."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from decimal import DecimalException
from typing import Any

import fastavro
import msgspec
from fastavro.schema import SchemaParseException, UnknownType

from connectors.mappings.model import Format
from schemas.registry import SchemaRegistry, UnknownSchemaError
from streams.engine.contract import Message, RejectedError

MAX_BYTES = 1_000_000

_MAGIC = 0
_HEADER = 5  # magic byte and schema id

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
        self._schemas: dict[int, Any] = {}
        self._decode: Callable[[bytes], object] = self._avro if avro else _json

    def value(self, message: Message) -> object:
        """The document of a message; None for a tombstone.

        Raises RejectedError (malformed-json, malformed-avro, unknown-schema, too-large), and RegistryError, which is
        transient: the registry could not be reached, try the message again.
        """
        return self._part(message.value, "value")

    def key(self, message: Message) -> object:
        """The document in a message's key, decoded like its value; None without one. Raises as `value` does."""
        return self._part(message.key, "key")

    def _part(self, data: bytes | None, part: str) -> object:
        if data is None:
            return None
        if len(data) > self._max_bytes:
            raise RejectedError("too-large", f"the {part} is larger than {self._max_bytes:,} bytes")
        return self._decode(data)

    def _avro(self, data: bytes) -> object:
        if len(data) < _HEADER or data[0] != _MAGIC:
            raise RejectedError("malformed-avro", "does not begin with the Confluent wire format's magic byte and schema id")
        schema = self._schema(int.from_bytes(data[1:_HEADER], "big"))
        stream = io.BytesIO(data)
        stream.seek(_HEADER)
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
            schema = fastavro.parse_schema(msgspec.json.decode(self._registry.schema(schema_id)))
        except UnknownSchemaError as error:
            raise RejectedError("unknown-schema", f"the registry has no schema {schema_id}") from error
        except (SchemaParseException, UnknownType, msgspec.DecodeError, RecursionError) as error:
            raise RejectedError("unknown-schema", f"schema {schema_id} is not an Avro schema") from error
        if _contains(schema, frozenset()):
            # A few kilobytes of such a message overflow the C stack of fastavro's reader, and with it the process.
            raise RejectedError("unknown-schema", f"schema {schema_id} contains itself, which is not supported")
        self._schemas[schema_id] = schema
        return schema


def _contains(schema: object, around: frozenset[str]) -> bool:
    """Whether a schema refers to one of the named types it stands inside of."""
    if isinstance(schema, str):
        return schema in around
    if isinstance(schema, list):
        return any(_contains(branch, around) for branch in schema)
    if not isinstance(schema, dict):
        return False
    inside = around | {schema["name"]} if "name" in schema else around
    parts = [field["type"] for field in schema.get("fields", ())] + [
        schema.get(part) for part in ("type", "items", "values")
    ]
    return any(_contains(part, inside) for part in parts)


_read_json = msgspec.json.Decoder().decode


def _json(data: bytes) -> object:
    try:
        return _read_json(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        # Not the decoder's own words: they may quote the data.
        raise RejectedError("malformed-json", f"not JSON in UTF-8 ({type(error).__name__})") from None
    except RecursionError:
        raise RejectedError("malformed-json", "nested too deeply") from None
