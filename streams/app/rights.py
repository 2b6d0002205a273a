"""The rights singleview needs on Kafka, and what to say when one is lacking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]  # its stubs do not declare it

from connectors.logs.rights import REFUSALS, Lack, Need, lacking
from schemas.topics import INBOXES
from streams.app.broker import unreachable
from streams.app.config import topic_specs
from streams.app.console import WorkError
from streams.app.wiring import PROCESSORS, Deployment

OURS = (AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
SOURCES = (AclOperation.READ, AclOperation.DESCRIBE)


def lacking_rights(deployment: Deployment, settings: Mapping[str, str], *, sources: bool = True) -> Iterator[Lack]:
    configuration = deployment.configuration
    needs = []
    for spec in topic_specs(configuration):
        rights = (*OURS, AclOperation.DELETE) if spec.name in INBOXES else OURS
        needs.append(Need(configuration.prefix + spec.name, rights))
    if sources:
        needs += [Need(topic, SOURCES) for topic in deployment.source_topics]
    yield from lacking(settings, needs, [configuration.prefix + processor for processor in PROCESSORS])


def unusable(deployment: Deployment, settings: Mapping[str, str], error: KafkaException) -> WorkError:
    """The error of a broker that refuses, or does not answer."""
    cause = error.args[0]
    if cause.code() not in REFUSALS:
        return unreachable(settings, cause.str())
    try:
        lacks = list(lacking_rights(deployment, settings))
    except KafkaException:  # then what it said must do
        lacks = []
    if not lacks:
        return WorkError(f"Kafka does not allow what is needed: {cause.str()}: see docs/deployment.md, TLS and access")
    return WorkError(
        "Kafka does not allow singleview's user what it needs: "
        + "; ".join(map(str, lacks))
        + ". Give these rights with kafka-acls.sh (see `singleview doctor`), by the prefix of the names if you can"
    )
