"""The topics that singleview owns: as `init` makes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from confluent_kafka import KafkaException

from connectors.logs.topics import TopicState, inspect_topics
from streams.app.broker import quiet
from streams.app.config import topic_specs
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.facts.tables import tables
from streams.app.wiring import Deployment

AREA = "topics"


def check_topics(deployment: Deployment, unseen: Collection[str] = ()) -> Iterator[Check]:
    """Tables that lost something are told with the deployment, topics that may not be seen with the rights."""
    configuration = deployment.configuration
    settings = quiet(configuration.kafka_settings)
    specs = topic_specs(configuration)
    fine, elsewhere = 0, set(unseen) if unseen else _gone(deployment, settings)
    for state in inspect_topics(settings, specs, configuration.prefix, configuration.replication):
        found = list(_judge(state)) if state.exists or state.name not in elsewhere else []
        fine += state.exists and not found
        yield from found
    if fine:
        yield ok(
            AREA, f"{fine} of {len(specs)} of singleview", "partitions, replication, clean-up, retention, sizes as made"
        )


def _gone(deployment: Deployment, settings: Mapping[str, str]) -> set[str]:
    """Table topics that are not there, which is told with the deployment."""
    try:
        return {table.topic for table in tables(deployment, settings) if table.gone}
    except KafkaException:  # the groups may not be looked at
        return set()


def _judge(state: TopicState) -> Iterator[Check]:
    if not state.exists:
        yield error(AREA, state.name, "does not exist", "run `singleview init`")
    for problem in state.problems:
        found, _, fix = problem.partition(": ")
        yield error(AREA, state.name, found, fix)
    for difference in state.differences:
        found, _, fix = difference.partition(": ")
        yield warning(AREA, state.name, found, fix)
