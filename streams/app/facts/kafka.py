"""The facts of a deployment on Kafka: kept in its topic `deployment`.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import msgspec

from connectors.logs.groups import coordinated, describe_group
from connectors.logs.kafka_notes import read_notes, write_note
from connectors.logs.topics import topic_ids
from schemas.topics import DEPLOYMENT, table_topic
from schemas.versions import Release, release_of, this_release
from streams.app.console import WorkError
from streams.app.facts.compare import Verdict, compare, judge_members
from streams.app.facts.found import facts_of
from streams.app.facts.model import Facts, decode, encode
from streams.app.wiring import PROCESSORS, STATEFUL, Deployment

KEY = b"facts"
LEAVING_SECONDS = 12.0
"""How long a member that was killed is still counted: its session time-out, and a little more."""


class Running(NamedTuple):
    """A member of one of the groups."""

    name: str  # its instance, or its host if it has none
    release: Release


def kept_facts(deployment: Deployment, settings: Mapping[str, str]) -> Facts | None:
    """What was kept. None if nothing was, or there is no topic for it yet. Raises WorkError for what are no facts."""
    topic = deployment.names.physical(DEPLOYMENT)
    if topic not in topic_ids(settings, [topic]):
        return None
    found = read_notes(settings, topic, f"{deployment.configuration.prefix}reader").get(KEY)
    if found is None:
        return None
    try:
        return decode(found)
    except msgspec.DecodeError as error:
        raise WorkError(f"{topic} holds something else than a deployment's facts ({error}): delete that topic") from None


def keep(deployment: Deployment, settings: Mapping[str, str], facts: Facts) -> None:
    write_note(settings, deployment.names.physical(DEPLOYMENT), KEY, encode(facts))


def found_facts(deployment: Deployment, settings: Mapping[str, str]) -> Facts:
    """What this start finds."""
    tables = {deployment.names.physical(table_topic(name)) for name in STATEFUL}
    ids = topic_ids(settings, [*tables, *deployment.source_topics])
    return facts_of(
        deployment,
        tables={topic: number for topic, number in ids.items() if topic in tables},
        inputs={topic: number for topic, number in ids.items() if topic not in tables},
    )


def compared(
    deployment: Deployment, settings: Mapping[str, str], accepted: Collection[str] = ()
) -> tuple[Facts | None, Verdict]:
    """What was kept, and how what is found stands against it."""
    kept = kept_facts(deployment, settings)
    return kept, compare(kept, found_facts(deployment, settings), accepted)


def running(deployment: Deployment, settings: Mapping[str, str]) -> list[Running]:
    """Who runs this deployment's processors now, a name once for each release."""
    found: dict[Running, None] = {}
    for processor in PROCESSORS:
        found |= dict.fromkeys(_in_group(deployment, settings, processor))
    return list(found)


def _in_group(deployment: Deployment, settings: Mapping[str, str], processor: str) -> Iterator[Running]:
    group = deployment.configuration.prefix + processor
    coordinated(settings, group, deployment.names.physical(deployment.inbox(processor)[0]))
    for member in describe_group(settings, group).members:
        yield Running(member.name, release_of(member.client_id))


def await_fellows(deployment: Deployment, settings: Mapping[str, str], own_names: Collection[str]) -> None:
    """Raises WorkError while members run that do not go together with this release. Those that were killed just now are
    given the time to be forgotten, and those of our own names are what we were before."""
    deadline = time.monotonic() + LEAVING_SECONDS
    while True:
        others = [one for one in running(deployment, settings) if one.name not in own_names]
        refused = judge_members(others, this_release())
        if not refused:
            return
        if time.monotonic() > deadline:
            raise WorkError("; ".join(refused))
        time.sleep(1.0)
