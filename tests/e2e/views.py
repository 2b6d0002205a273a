"""Unified views of two runs, made comparable."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import fastavro

from connectors.logs.embedded import EmbeddedLog
from schemas.registry import SchemaRegistry
from schemas.topics import CUSTOMER_VIEW

View = dict[str, Any]
MAY_DIFFER = {"customer_id", "version", "aliases", "processed_at", "event_time"}
"""Between two runs that interleave differently."""
ADDED: View = {"cut": []}
"""Fields that views of earlier releases lack, with their defaults."""


def comparable(views: Iterable[View]) -> dict[frozenset[str], View]:
    """Active views by their set of members, with all that two runs must agree on: every value and its provenance."""
    return {
        frozenset(view["members"]): {name: value for name, value in _plain(ADDED | view).items() if name not in MAY_DIFFER}
        for view in views
        if view["status"] == "active"
    }


def latest_views(log: EmbeddedLog) -> Iterator[View]:
    """The newest view of every customer id in an embedded log, read with no more than its registry."""
    registry = log.registry()
    latest = {message.key: message.value for message in log.messages(CUSTOMER_VIEW)}
    return (avro(value, registry) for value in latest.values() if value is not None)


def avro(data: bytes, registry: SchemaRegistry) -> View:
    """A message in the wire format, read by an independent reader."""
    schema = fastavro.parse_schema(json.loads(registry.schema(int.from_bytes(data[1:5], "big"))))
    view: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    return dict(view)


def _plain(view: View) -> View:
    """As JSON: what two readers give for one Avro value is compared without their types."""
    found: View = json.loads(json.dumps(view, sort_keys=True, default=lambda moment: int(moment.timestamp() * 1000)))
    return found
