"""Damaged copies of events, as broken exporters, proxies and people produce them. None of them can be processed."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from connectors.simulated.events import CRM_TOPIC, ORDERS_TOPIC, PARTNER_TOPIC, SELFCARE_TOPIC, AvroDatum, SourceEvent
from connectors.simulated.records import ENCODER

_UNKNOWN_SCHEMA = b"\x00\x7f\xff\xff\xff"  # the wire format's magic byte, and an id no registry has given
_YEAR_9998 = 2_932_531  # days since 1970-01-01; the last day of 9999 often means no date


def damaged(rng: Random, event: SourceEvent, timestamp: int) -> SourceEvent:
    """A copy of `event`, published at `timestamp`, that no decoder or mapping can accept."""
    if isinstance(event.value, AvroDatum) or event.value is None:
        junk = _UNKNOWN_SCHEMA + rng.randbytes(32)
        return SourceEvent(event.topic, event.key, junk, timestamp, None)
    kind = rng.random()
    if kind < 0.3:
        value = event.value[: int(len(event.value) * (0.3 + 0.6 * rng.random()))]
        return SourceEvent(event.topic, event.key, value, timestamp, None)
    if kind < 0.5:
        return SourceEvent(event.topic, event.key, event.value.replace(b':"', b':"\xff\xfe', 1), timestamp, None)
    document = msgspec.json.decode(event.value)
    key = event.key
    if kind < 0.75 or not _absurd_date(event.topic, document):
        key = _without_id(event.topic, document, key)
    return SourceEvent(event.topic, key, ENCODER.encode(document), timestamp, None)


def _without_id(topic: str, document: dict[str, Any], key: bytes | None) -> bytes | None:
    """Takes the record id out; returns the key to publish with."""
    if topic == CRM_TOPIC:
        for side in ("before", "after"):
            (document[side] or {}).pop("id", None)
        return None
    if topic == ORDERS_TOPIC:
        del document["customer"]["customerRef"]
    else:
        del document["userId" if topic == SELFCARE_TOPIC else "subscriberId"]
    return key


def _absurd_date(topic: str, document: dict[str, Any]) -> bool:
    """Puts a date in that is none; False where the event has no place for one."""
    if topic == CRM_TOPIC and document["after"]:
        document["after"]["dob"] = _YEAR_9998
    elif topic == ORDERS_TOPIC:
        document["customer"]["changes"]["birthDate"] = "1985-02-31"
    elif topic == SELFCARE_TOPIC:
        document["patch"]["birthDate"] = "31/02/1985"
    elif topic == PARTNER_TOPIC:
        document["holder"]["born"] = "1985-02-31"
    else:
        return False
    return True
