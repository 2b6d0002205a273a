"""How a record's events reach their topic: soon, late, twice, in the wrong order, and now and then with a damaged copy."""

from __future__ import annotations

from random import Random

from connectors.simulated import rates
from connectors.simulated.events import SourceEvent, TruthRow
from connectors.simulated.malformed import damaged
from connectors.simulated.records import SystemRecord

_USUAL_MS = 900
_AGAIN_MS = 3_600_000
_PASSED_MS = 1_500  # an overtaken event arrives so long after the one that overtook it


def deliver(rng: Random, record: SystemRecord, truth: TruthRow) -> list[SourceEvent]:
    """All a record published, with the times of arrival. The truth is on the first good event, if the record lives."""
    published, topic = record.published, record.topic
    events: list[SourceEvent] = []
    extra: list[SourceEvent] = []
    for place, (time, key, value) in enumerate(published):
        arrival = time + 20 + int(_USUAL_MS * rng.random())
        chance = rng.random()
        if value is None:  # a tombstone follows its delete at once
            arrival = events[-1].timestamp + 1
        elif chance < rates.LATE:
            arrival += int(rates.LATE_MOST_MS * rng.random())
        elif (
            chance < rates.LATE + rates.OUT_OF_ORDER
            and place + 1 < len(published)
            and published[place + 1].value is not None
        ):
            arrival = published[place + 1].time + _PASSED_MS
        event = SourceEvent(topic, key, value, arrival, None)
        events.append(event)
        chance = rng.random()
        if chance < rates.REDELIVERED:
            extra.append(event._replace(timestamp=arrival + 1 + int(_AGAIN_MS * rng.random())))
        elif chance < rates.REDELIVERED + rates.MALFORMED:
            damaged_at = arrival + int(_AGAIN_MS * (rng.random() - 0.2))  # perhaps before the good one
            extra.append(damaged(rng, event, max(damaged_at, published[0].time)))
    if not record.deleted:
        first = min(range(len(events)), key=lambda place: events[place].timestamp)
        events[first] = events[first]._replace(truth=truth)
    return events + extra
