"""Simulated events to bytes, as the real systems would publish them."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro

from connectors.simulated.events import AvroDatum, SourceEvent, source_schema
from schemas.registry import SchemaRegistry


class SourceEncoder:
    """The bytes of an event's value. Avro values get the wire format, their schema registered under `<topic>-value`."""

    def __init__(self, registry: SchemaRegistry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, str], tuple[bytes, Any]] = {}

    def __call__(self, event: SourceEvent) -> bytes | None:
        """Raises RegistryError when the schema cannot be registered."""
        if not isinstance(event.value, AvroDatum):
            return event.value
        header, schema = self._schema(event.topic, event.value.schema)
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, event.value.value)
        return header + body.getvalue()

    def _schema(self, topic: str, name: str) -> tuple[bytes, Any]:
        known = self._known.get((topic, name))
        if known is None:
            text = source_schema(name)
            number = self._registry.register(f"{topic}-value", text)
            known = b"\0" + number.to_bytes(4, "big"), fastavro.parse_schema(json.loads(text))
            self._known[topic, name] = known
        return known
