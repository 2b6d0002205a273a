"""Reads events as a source's consumer would: record id, order and content, or None for a damaged one."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors.simulated import AvroDatum, SourceEvent
from connectors.simulated.events import CRM_TOPIC, ORDERS_TOPIC, SELFCARE_TOPIC

ABSURD = ("1985-02-31", "31/02/1985", 2_932_531)


def document(event: SourceEvent) -> dict[str, Any] | None:
    if isinstance(event.value, AvroDatum):
        return event.value.value
    if event.value is None:
        return None
    try:
        read = msgspec.json.decode(event.value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    assert isinstance(read, dict)
    return read


def record_and_order(event: SourceEvent) -> tuple[str, tuple[int, ...]] | None:
    """None for a tombstone and for whatever cannot be processed."""
    read = document(event)
    if read is None or _has_absurd_date(read):
        return None
    if isinstance(event.value, AvroDatum):
        return read["customer_id"], (read["sequence"],)
    if event.topic == CRM_TOPIC:
        row = read["after"] or read["before"]
        committed, lsn = msgspec.json.decode(read["source"]["sequence"])
        return (str(row["id"]), (int(committed or -1), int(lsn))) if "id" in row else None
    if event.topic == ORDERS_TOPIC:
        customer = read["customer"]
        return (customer["customerRef"], (customer["seq"],)) if "customerRef" in customer else None
    name, order = ("userId", "revision") if event.topic == SELFCARE_TOPIC else ("subscriberId", "rev")
    return (read[name], (read[order],)) if name in read else None


def _has_absurd_date(read: dict[str, Any]) -> bool:
    parts = (read.get("after"), read.get("patch"), read.get("holder"), read.get("customer", {}).get("changes"))
    return any(part and part.get(name) in ABSURD for part in parts for name in ("dob", "birthDate", "born"))
