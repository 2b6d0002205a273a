"""A deployment of three sources, good events for it, and events that cannot be processed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import yaml

from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES, generate
from connectors.simulated.publish import SourceEncoder
from schemas.registry import SchemaRegistry
from streams.engine.contract import Headers

PERSONAL = "Zaphodine"
"""In every bad event, and so in no message, header or log line that speaks of one."""

ORDERS, BILLING, AGENCY = SOURCES["orders"], SOURCES["billing"], "agency.people"
TOPICS = (ORDERS, BILLING, AGENCY)
TWO_MEGABYTES = 2 << 20

AGENCY_MAPPING = """
source: {path: system}
topics: [agency.people]
format: json
realm: {constant: north}
record_id: id
order: {sequence: seq}
operation: snapshot
attributes:
  names: {given: given, family: family}
  birth_date: {path: born, transform: {date: iso}}
"""


class Event(NamedTuple):
    """What a source publishes."""

    topic: str  # without the deployment's prefix
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str = ""  # why it is a dead letter; empty for a good one


def deployment(folder: Path, prefix: str = "", agency: str = AGENCY_MAPPING, **settings: Any) -> Path:
    """Writes mappings of topics of its own (after `prefix`), and a configuration of them; returns its file."""
    texts = {source: shipped_mapping(source).read_text() for source in ("orders", "billing")} | {"agency": agency}
    for source, text in texts.items():
        for topic in TOPICS:
            text = text.replace(f"[{topic}]", f"[{prefix}{topic}]")  # noqa: PLW2901
        (folder / f"{source}.yaml").write_text(text)
    config = folder / "singleview.yaml"
    document = {
        "prefix": prefix,
        "realms": {"north": 0, "south": 1},
        "sources": [f"{source}.yaml" for source in texts],
        **settings,
    }
    config.write_text(yaml.safe_dump(document))
    return config


def good_events(registry: SchemaRegistry, customers: int = 30, prefix: str = "") -> Iterator[Event]:
    """Some simulated customers' orders and bills, and people of an agency."""
    encode = SourceEncoder(registry)
    for event in generate(customers, seed=3):
        if event.topic in {ORDERS, BILLING}:
            yield Event(event.topic, event.key, encode(event._replace(topic=prefix + event.topic)), ())
    yield from (agency_event(number) for number in range(10))


def agency_event(number: int, **fields: object) -> Event:
    person = {"system": "agency", "id": f"P{number}", "seq": 1, "given": PERSONAL, "family": f"Van{number}", **fields}
    return Event(AGENCY, str(person["id"]).encode(), json.dumps(person).encode(), ())


def _order(customer: dict[str, object], changes: dict[str, object]) -> bytes:
    person = {"givenName": PERSONAL, "familyName": PERSONAL}
    found = {"customerRef": "X1", "seq": 1, "brand": "north", "country": "IE", **customer}
    event = {"eventTime": "2024-01-01T02:19:56Z", "customer": {**found, "changes": {"person": person, **changes}}}
    return msgspec.json.encode(event)


def bad_events() -> list[Event]:
    """One of each kind, with headers and a key of its own."""
    without_id = _order({"customerRef": None}, {})
    kinds: list[tuple[str, bytes, str]] = [
        (ORDERS, without_id[:-20], "malformed-json"),
        (ORDERS, without_id.replace(PERSONAL.encode(), b"\xff\xfe" + PERSONAL.encode()), "malformed-json"),
        (ORDERS, without_id, "missing-record-id"),
        (ORDERS, _order({}, {"birthDate": f"1985-02-31 {PERSONAL}"}), "bad-date"),
        (ORDERS, _order({}, {"birthDate": "9999-01-01"}), "bad-date"),
        (ORDERS, _order({"brand": PERSONAL}, {}), "unknown-realm"),
        (ORDERS, _order({}, {"contact": {"email": PERSONAL * (TWO_MEGABYTES // len(PERSONAL))}}), "too-large"),
        (BILLING, b"\0\x7f\xff\xff\xff" + PERSONAL.encode(), "unknown-schema"),
        (BILLING, PERSONAL.encode(), "malformed-avro"),
        (AGENCY, agency_event(1, system=f"{PERSONAL}!").value or b"", "unknown-source"),
        (AGENCY, agency_event(1, system=None).value or b"", "unknown-source"),
    ]
    headers: Headers = (("tenant", b"\xff\x00"), ("tenant", b"again"), ("content-type", b"application/json"))
    return [
        Event(topic, f"key {number}".encode(), value, headers, reason) for number, (topic, value, reason) in enumerate(kinds)
    ]


def mixed(good: list[Event], bad: list[Event], seed: int) -> list[Event]:
    """The bad events at random places among the good ones, both in their order."""
    random = Random(seed)
    places = sorted(random.randint(0, len(good)) for _ in bad)
    found = list(good)
    for place, event in reversed(list(zip(places, bad, strict=True))):
        found.insert(place, event)
    return found
