"""What the tests of mappings share: mappings from text, Avro bytes, a registry that is a dict."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field

import fastavro
from msgspec import UNSET

from connectors.mappings.mapping import Mapping
from connectors.mappings.model import MappingDocument
from schemas.canonical import ATTRIBUTES, Attributes
from schemas.documents import parse_document
from schemas.messages import Order, SourceChange
from schemas.registry import RegistryError, UnknownSchemaError
from streams.engine.contract import Message
from tests.fakes import message

HEAD = """
source: test
format: json
realm: {constant: north}
record_id: id
order: {sequence: n}
"""


def mapping(attributes: str, head: str = HEAD) -> Mapping:
    """A mapping of the given attributes, indented or not."""
    lines = "\n".join(f"  {line}" for line in attributes.splitlines())
    return Mapping(parse_document(f"{head}\nattributes:\n{lines or '  {}'}\n", MappingDocument, "test.yaml"))


def change(of: Mapping, event: dict[str, object], at: Message | None = None) -> SourceChange:
    """The change an event of a test mapping brings; `id` and `n` are filled in."""
    (found,) = of.changes(at or message(b""), {"id": "1", "n": 1} | event)
    return found


def stale(order: Order, written: Order) -> bool:
    """Whether an event of an order is older than another's, or stands at its position."""
    compared = order.compare(written)
    return compared is not None and compared <= 0


def attributes(text: str, event: dict[str, object], head: str = HEAD) -> Attributes:
    return change(mapping(text, head), event).attributes


def named(of: Attributes) -> dict[str, object]:
    """The attributes that are not UNSET."""
    return {name: getattr(of, name) for name in ATTRIBUTES if getattr(of, name) is not UNSET}


def avro(schema: str, datum: object, schema_id: int = 1) -> bytes:
    """A datum in the Confluent wire format."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(schema)), datum)
    return b"\0" + schema_id.to_bytes(4, "big") + stream.getvalue()


@dataclass
class DictRegistry:
    schemas: dict[int, str] = field(default_factory=dict)
    reachable: bool = True
    asked: int = 0

    def register(self, subject: str, schema: str) -> int:
        self.schemas[len(self.schemas) + 1] = schema
        return len(self.schemas)

    def schema(self, schema_id: int) -> str:
        self.asked += 1
        if not self.reachable:
            raise RegistryError("the registry is away")
        if schema_id not in self.schemas:
            raise UnknownSchemaError(f"no schema {schema_id}")
        return self.schemas[schema_id]
