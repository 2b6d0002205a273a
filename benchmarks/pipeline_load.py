"""What the pipeline is given: a first load, updates that say nothing about who a customer is, and new records.

Made of the simulated systems' own records, so that the first load holds what real ones do: families, typos, duplicates.
Updates and new records are billing's: Avro through the registry, with a free event time and a sequence to order them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from connectors.simulated.events import BILLING_SCHEMA, BILLING_TOPIC, AvroDatum, SourceEvent
from connectors.simulated.records import SystemRecord
from connectors.simulated.stream import stories

HELD_BACK = 2
"""Every second billing record is held back: the new records of the last phase, whose customers mostly exist by then."""


class Load(NamedTuple):
    """The first event of every record, in two parts."""

    first: list[SourceEvent]
    fresh: list[SourceEvent]  # of billing

    @property
    def billing(self) -> list[dict[str, Any]]:
        """The billing records of the first part, as published."""
        values = (event.value for event in self.first if event.topic == BILLING_TOPIC)
        return [value.value for value in values if isinstance(value, AvroDatum)]


def make_load(customers: int, seed: int) -> Load:
    load = Load([], [])
    seen = 0
    for story in stories(customers, seed):
        for record in story.records:
            seen += record.topic == BILLING_TOPIC
            held_back = record.topic == BILLING_TOPIC and seen % HELD_BACK == 0
            (load.fresh if held_back else load.first).append(_first_event(record))
    load.first.sort(key=lambda event: event.timestamp)
    return load


def updates(records: list[dict[str, Any]]) -> Iterator[SourceEvent]:
    """Without end, record after record: an account is suspended, or opened again. One notification each."""
    for turn in count(1):
        status = "suspended" if turn % 2 else "open"
        for datum in records:
            accounts = [{**datum["accounts"][0], "status": status}, *datum["accounts"][1:]]
            yield _billing({**datum, "sequence": datum["sequence"] + turn, "accounts": accounts})


def at(event: SourceEvent, time_ms: int) -> SourceEvent:
    """The same billing event, happening at `time_ms`."""
    assert isinstance(event.value, AvroDatum)
    datum = AvroDatum(event.value.schema, {**event.value.value, "event_ts": time_ms})
    return event._replace(value=datum, timestamp=time_ms)


def _first_event(record: SystemRecord) -> SourceEvent:
    published = record.published[0]
    return SourceEvent(record.topic, published.key, published.value, published.time, None)


def _billing(datum: dict[str, Any]) -> SourceEvent:
    value = AvroDatum(BILLING_SCHEMA, datum)
    return SourceEvent(BILLING_TOPIC, str(datum["customer_id"]).encode(), value, int(datum["event_ts"]), None)
