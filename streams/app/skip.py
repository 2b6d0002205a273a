"""What an operator gives up, so that a topic is read on: `singleview init --skip-lost TOPIC`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.logs.groups import Position
from connectors.logs.skips import give_up
from streams.app.console import UsageError
from streams.app.wiring import PROCESSORS, Deployment


def skip_lost(deployment: Deployment, settings: Mapping[str, str], topics: Sequence[str]) -> list[str]:
    """Gives up what was deleted before it was read; returns what that is, a line for each partition.

    Raises UsageError for a topic that nobody reads, KafkaException.
    """
    readers = {deployment.names.physical(topic): name for name in PROCESSORS for topic in deployment.inbox(name)}
    for topic in topics:
        if topic not in readers:
            raise UsageError(f"--skip-lost: no processor reads a topic {topic} (there are: {', '.join(sorted(readers))})")
    said = []
    for topic in topics:
        lost = give_up(settings, deployment.configuration.prefix + readers[topic], [topic])
        said += [_given_up(at) for at in lost] or [f"{topic}: nothing is missing"]
    return said


def _given_up(at: Position) -> str:
    place, committed = f"{at.topic}/{at.partition}", at.committed or 0
    if committed > at.end:
        return f"{place}: it ends at offset {at.end}, before the committed {committed}: it is read from its beginning"
    gone = f"{at.first - committed:,} offsets ({committed} to {at.first - 1})"
    return f"{place}: {gone} are given up; it is read on at {at.first}"
