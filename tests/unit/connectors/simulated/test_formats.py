"""`FORMATS.md` promises what the systems publish; mappings are written from it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from connectors import simulated
from connectors.simulated import AvroDatum, SourceEvent, source_schema
from connectors.simulated.events import BILLING_SCHEMA, CRM_TOPIC, ORDERS_TOPIC, PARTNER_TOPIC, SELFCARE_TOPIC
from tests.unit.connectors.simulated.reading import document, record_and_order

SAMPLES = [
    json.loads(line)
    for line in (Path(simulated.__file__).parent / "FORMATS.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("{")
]
MARKS = {CRM_TOPIC: "op", ORDERS_TOPIC: "eventId", SELFCARE_TOPIC: "userId", PARTNER_TOPIC: "subscriberId"}


def shape(value: object, path: str = "") -> set[str]:
    """Every path of a document, list elements as one."""
    if isinstance(value, dict):
        return {p for name, inner in value.items() for p in shape(inner, f"{path}.{name}")}
    if isinstance(value, list):
        return {path} | {p for inner in value for p in shape(inner, f"{path}[]")}
    return {path}


def leaves(documents: list[dict[str, Any]]) -> set[str]:
    paths = {p for one in documents for p in shape(one)}
    return {p for p in paths if not any(other.startswith((f"{p}.", f"{p}[")) for other in paths)}


@pytest.mark.parametrize("topic", MARKS)
def test_the_samples_and_the_events_have_the_same_fields(events: list[SourceEvent], topic: str) -> None:
    published = [document(event) or {} for event in events if event.topic == topic and record_and_order(event)]
    samples = [sample for sample in SAMPLES if MARKS[topic] in sample]
    if topic == CRM_TOPIC:  # `before` is abridged in the samples: it is a row like `after`
        published, samples = ([{**one, "before": None} for one in rows] for rows in (published, samples))
    assert samples
    assert leaves(published) == leaves(samples)


def test_billing_values_and_samples_fit_the_shipped_schema(events: list[SourceEvent]) -> None:
    schema = fastavro.parse_schema(json.loads(source_schema(BILLING_SCHEMA)))
    data = [event.value.value for event in events if isinstance(event.value, AvroDatum)]
    samples = [sample for sample in SAMPLES if "customer_id" in sample]
    assert data
    assert samples
    for datum in [*data, *samples]:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, datum, strict=True)


def test_every_kind_of_debezium_event_occurs(events: list[SourceEvent]) -> None:
    rows = [document(event) or {} for event in events if event.topic == CRM_TOPIC and record_and_order(event)]
    assert {row["op"] for row in rows} == {"r", "c", "u", "d"}
    for row in rows:
        assert (row["before"] is None) == (row["op"] in "rc")
        assert (row["after"] is None) == (row["op"] == "d")
        assert (row["source"]["snapshot"] == "true") == (row["op"] == "r")


def test_a_schema_that_is_not_shipped_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        source_schema("unheard-of")
