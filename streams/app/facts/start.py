"""What `init` and `run` do about the facts and the topics before anything else.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from confluent_kafka import KafkaException

from connectors.logs.kafka_outlets import too_small
from connectors.logs.kafka_remake import MOVING
from connectors.logs.topics import (
    NotAllowedError,
    count_problem,
    ensure_topics,
    largest_messages,
    partition_counts,
    topic_ids,
)
from schemas.topics import DEPLOYMENT, IDENTITY_REVIEWS, INBOXES, LARGEST_MESSAGE_BYTES, TopicSpec, subscriber_topic
from streams.app.config import topic_specs
from streams.app.console import WorkError
from streams.app.facts.compare import FactsError
from streams.app.facts.kafka import await_fellows, compared, keep
from streams.app.facts.model import Facts
from streams.app.facts.tables import adopt_tables
from streams.app.wiring import Deployment

log = logging.getLogger(__name__)


def refuse_changed(deployment: Deployment, settings: Mapping[str, str], accepted: Collection[str]) -> None:
    """Before `init` makes anything. Raises FactsError."""
    kept, verdict = compared(deployment, settings, accepted)
    if verdict.refused:
        raise FactsError(verdict.refused)
    if kept is None:
        adopt_tables(deployment, settings)


def record(deployment: Deployment, settings: Mapping[str, str], accepted: Collection[str] = ()) -> tuple[str, ...]:
    """Keeps the facts as they are now, if they have changed; returns what has. Raises FactsError."""
    kept, verdict = compared(deployment, settings, accepted)
    if verdict.refused:
        raise FactsError(verdict.refused)
    if verdict.facts != kept:
        keep(deployment, settings, verdict.facts)
    return verdict.told


def check_start(
    deployment: Deployment, settings: Mapping[str, str], processors: Sequence[str], names: Sequence[str]
) -> Facts:
    """Before `run` starts anything under these instance names; returns the facts that hold.

    Makes what may be made at any time: a new subscriber's topic, and that of the facts themselves. Raises FactsError, and
    WorkError for topics that are missing and members that do not go together with this release.
    """
    kept, verdict = compared(deployment, settings)
    if verdict.refused:
        raise FactsError(verdict.refused)
    if kept is None:
        adopt_tables(deployment, settings)
    _make_topics(deployment, settings, subscribers="notify" in processors)
    await_fellows(deployment, settings, names)
    for told in verdict.told:
        log.warning("since the last start: %s", told)
    if verdict.facts != kept:
        _keep(deployment, settings, verdict.facts)
    return verdict.facts


def _make_topics(deployment: Deployment, settings: Mapping[str, str], *, subscribers: bool) -> None:
    configuration = deployment.configuration
    specs = {configuration.prefix + spec.name: spec for spec in topic_specs(configuration)}
    there = topic_ids(settings, list(specs))
    anytime = {DEPLOYMENT, *(subscriber_topic(subscriber.name) for subscriber in configuration.subscribers)}
    missing = [name for name, spec in specs.items() if name not in there and spec.name != IDENTITY_REVIEWS]
    fatal = [name for name in missing if specs[name].name not in anytime]
    if fatal:
        others = f" and {len(fatal) - 1} more of its topics do" if len(fatal) > 1 else " does"
        raise WorkError(f"{fatal[0]}{others} not exist: run `singleview init` first")
    _refuse_counts(settings, specs)
    _warn_of_limits(settings, list(there))
    for name in missing:
        if specs[name].name == DEPLOYMENT or subscribers:
            _make(deployment, settings, specs[name])


def _refuse_counts(settings: Mapping[str, str], specs: Mapping[str, TopicSpec]) -> None:
    """Raises WorkError for topics whose partitions are not those of the deployment."""
    moving = {name + MOVING: name for name, spec in specs.items() if spec.name in INBOXES}
    there = partition_counts(settings, list(moving))
    wrong = [f"{moving[name]} is being made anew: end that with `singleview init --remake {moving[name]}`" for name in there]
    for name, count in partition_counts(settings, list(specs)).items():
        spec = specs[name]
        if count < spec.partitions or (count > spec.partitions and not spec.grows):
            wrong.append(count_problem(name, spec, count))
    if wrong:
        raise WorkError("; ".join(wrong))


def _warn_of_limits(settings: Mapping[str, str], names: Sequence[str]) -> None:
    try:
        limits = largest_messages(settings, names)
    except KafkaException as error:  # what does not fit is told when it comes
        log.info("the topics' settings are not told (%s): allow DESCRIBE_CONFIGS on them", error.args[0].str())
        return
    for name, limit in limits.items():
        if limit < LARGEST_MESSAGE_BYTES:
            log.warning("%s", too_small(name, limit))


def _make(deployment: Deployment, settings: Mapping[str, str], spec: TopicSpec) -> None:
    configuration = deployment.configuration
    name = configuration.prefix + spec.name
    try:
        ensure_topics(settings, [spec], configuration.prefix, configuration.replication)
    except (KafkaException, NotAllowedError) as error:
        why = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        if spec.name != DEPLOYMENT:
            raise WorkError(f"{name} does not exist and cannot be made here ({why}): run `singleview init`") from error
        log.warning(
            "%s cannot be made (%s), so a start cannot be compared with the one before: run `singleview init`", name, why
        )
    else:
        log.info("%s was made", name)


def _keep(deployment: Deployment, settings: Mapping[str, str], facts: Facts) -> None:
    topic = deployment.names.physical(DEPLOYMENT)
    if topic in topic_ids(settings, [topic]):
        keep(deployment, settings, facts)
