"""Hostile source events: simulated ones, mutated."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import fastavro

from connectors.simulated import AvroDatum, SourceEvent, generate, source_schema
from connectors.simulated.publish import SourceEncoder
from schemas.registry import SchemaRegistry
from tests.fuzz.hostile import as_json, mutated_bytes, mutated_document, mutated_values

SAMPLES = 250
"""Simulated events of each topic that hostile ones are made of."""

LARGEST_BYTES = 2_000_000
"""Twice what mappings read. A topic that takes more than a dead letter can be is stopped, which is another test's matter."""


class HostileEvent(NamedTuple):
    """What a broken or malicious source publishes."""

    topic: str
    key: bytes | None
    value: bytes | None


class HostileEvents:
    """Makes hostile events, the same ones from the same seed."""

    def __init__(self, seed: int, registry: SchemaRegistry) -> None:
        self._random = Random(seed)
        self._encode = SourceEncoder(registry)
        self._samples: dict[str, list[SourceEvent]] = defaultdict(list)
        for event in generate(40, seed=5):
            if len(self._samples[event.topic]) < SAMPLES:
                self._samples[event.topic].append(event)

    def make(self, count: int) -> Iterator[HostileEvent]:
        topics = list(self._samples)
        for _ in range(count):
            topic = self._random.choice(topics)
            yield self._one(self._random.choice(self._samples[topic]))

    def _one(self, event: SourceEvent) -> HostileEvent:
        random = self._random
        value = self._avro(event, event.value) if isinstance(event.value, AvroDatum) else self._json(event.value)
        key = random.choice((None, b"", b"\x00", b"{", (value or b"")[:100])) if random.random() < 0.05 else event.key
        return HostileEvent(event.topic, key, value[:LARGEST_BYTES] if value else value)

    def _json(self, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        try:
            document = json.loads(value)
        except ValueError:  # a simulated event may be damaged already
            return mutated_bytes(value, self._random)
        if self._random.random() < 0.75:
            return as_json(mutated_document(document, self._random), self._random)
        return mutated_bytes(value, self._random)

    def _avro(self, event: SourceEvent, datum: AvroDatum) -> bytes:
        encoded = self._encode(event) or b""
        if self._random.random() < 0.4:
            return mutated_bytes(encoded, self._random)
        body = io.BytesIO()
        schema = fastavro.parse_schema(json.loads(source_schema(datum.schema)))
        try:
            fastavro.schemaless_writer(body, schema, mutated_values(datum.value, self._random))
        except (ValueError, TypeError, OverflowError):  # the writer refuses what a broken writer would send
            return mutated_bytes(encoded, self._random)
        return encoded[:5] + body.getvalue()
