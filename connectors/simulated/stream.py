"""The stream: stories of customers merged by time, lazily, with a bounded window of customers in memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random

from connectors.simulated import rates
from connectors.simulated.capture import Clerk
from connectors.simulated.delivery import deliver
from connectors.simulated.events import SourceEvent, TruthRow
from connectors.simulated.households import Population
from connectors.simulated.life import Life, Story, World
from connectors.simulated.people import Serials
from connectors.simulated.pools import draw_pools

_EVENTS_PER_CUSTOMER = 4.6


def generate(customers: int, seed: int) -> Iterator[SourceEvent]:
    """The events of `customers` customers in order of time. Event n depends on nothing but the two arguments.

    Ties are ordered by topic, so that topics kept apart can be merged again to the same stream.
    """
    travel = Random(f"{seed}/travel")  # noqa: S311  # simulated data, nothing secret
    waiting: list[tuple[int, str, int, SourceEvent]] = []
    serial = 0
    for index, story in enumerate(stories(customers, seed)):
        for record in story.records:
            truth = TruthRow(story.realm, record.source, record.record_id, story.cluster)
            for event in deliver(travel, record, truth):
                serial += 1
                heapq.heappush(waiting, (event.timestamp, event.topic, serial, event))
        while waiting and waiting[0][0] < _arrival(index + 1):
            yield heapq.heappop(waiting)[3]
    while waiting:
        yield heapq.heappop(waiting)[3]


def stories(customers: int, seed: int) -> Iterator[Story]:
    """The same customers one after another, with what their records hold in the end."""
    if customers < 0:
        raise ValueError(f"the number of customers is {customers}: it must not be negative")
    rng = Random(f"{seed}/lives")  # noqa: S311  # simulated data, nothing secret
    serials = Serials()
    snapshot = min(int(customers * rates.SNAPSHOT_SHARE), rates.SNAPSHOT_MOST)
    world = World(Population(draw_pools(seed), rng, serials), Clerk(rng), serials, rng, snapshot)
    index = 0
    while index < customers:
        for subject in world.population.found(_arrival(index)):
            if index == customers:
                break
            yield Life(world, subject, index, _arrival(index)).tell()
            index += 1


def _arrival(index: int) -> int:
    """When the customer number `index` appears, ms."""
    return rates.START_MS + index * rates.SPACING_MS


def estimate_events(customers: int) -> int:
    """About how many events `generate` will give: for a progress bar."""
    return round(customers * _EVENTS_PER_CUSTOMER)
