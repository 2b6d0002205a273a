"""The topics: those singleview owns as `init` makes them, those of the sources there, and fit for dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.logs.topics import TopicState, inspect_topics, largest_messages
from streams.app.broker import quiet
from streams.app.config import topic_specs
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.facts.tables import tables
from streams.app.wiring import Deployment
from streams.engine.dead_letters import LARGEST_BYTES

AREA = "topics"


def check_topics(deployment: Deployment) -> Iterator[Check]:
    """Tables that lost something are told with the deployment."""
    configuration = deployment.configuration
    settings = quiet(configuration.kafka_settings)
    specs = topic_specs(configuration)
    fine, lost = 0, {table.topic for table in tables(deployment, settings) if table.gone}
    for state in inspect_topics(settings, specs, configuration.prefix, configuration.replication):
        found = list(_judge(state)) if state.exists or state.name not in lost else []
        fine += state.exists and not found
        yield from found
    if fine:
        yield ok(
            AREA, f"{fine} of {len(specs)} of singleview", "partitions, replication, clean-up, retention, sizes as made"
        )
    yield from _sources(deployment, largest_messages(settings, deployment.source_topics))


def _judge(state: TopicState) -> Iterator[Check]:
    if not state.exists:
        yield error(AREA, state.name, "does not exist", "run `singleview init`")
    for problem in state.problems:
        found, _, fix = problem.partition(": ")
        yield error(AREA, state.name, found, fix)
    for difference in state.differences:
        found, _, fix = difference.partition(": ")
        yield warning(AREA, state.name, found, fix)


def _sources(deployment: Deployment, found: Mapping[str, int]) -> Iterator[Check]:
    """`found`: the largest message of each topic that exists."""
    for topic in deployment.source_topics:
        if topic not in found:
            yield warning(AREA, topic, "does not exist", "start its source, or correct topics: in its mapping")
        elif found[topic] > LARGEST_BYTES:
            fix = f"lower its max.message.bytes to the {LARGEST_BYTES} of a dead letter: else a large bad event stops it"
            yield warning(AREA, topic, f"max.message.bytes={found[topic]}", fix)
    if found:
        yield ok(AREA, f"{len(found)} of {len(deployment.source_topics)} of the sources", "there")
