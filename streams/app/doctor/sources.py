"""The topics of the sources: there, readable, those of before, and fit for dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connectors.logs.groups import Position, positions
from connectors.logs.kafka_begin import mark_of
from connectors.logs.kafka_sources import FORBIDDEN, Standing, describe
from connectors.logs.topics import largest_messages
from streams.app.broker import quiet
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.wiring import Deployment
from streams.engine.dead_letters import LARGEST_BYTES

AREA = "sources"


def check_sources(deployment: Deployment) -> Iterator[Check]:
    settings = quiet(deployment.configuration.kafka_settings)
    topics = deployment.source_topics
    found = describe(AdminClient(dict(settings)), topics)
    yield from judge(found)
    readable = [topic for topic in topics if not found[topic].trouble]
    yield from _sizes(settings, readable)
    try:
        read = positions(settings, f"{deployment.configuration.prefix}intake", readable)
    except KafkaException:  # told with the groups
        return
    yield from made_anew(found, read, deployment.log_epochs)


def judge(found: Mapping[str, Standing]) -> Iterator[Check]:
    """`found`: each source topic, as it stands."""
    for topic, standing in found.items():
        if standing.trouble == FORBIDDEN:
            fix = f"kafka-acls.sh --add --allow-principal User:... --operation Read --operation Describe --topic {topic}"
            yield error(AREA, topic, "singleview's user may not read it", fix)
        elif standing.trouble:
            yield warning(AREA, topic, "does not exist", "start its source, or correct topics: in its mapping")
    if readable := sum(not standing.trouble for standing in found.values()):
        yield ok(AREA, f"{readable} of {len(found)} topics", "there, and may be read")


def made_anew(found: Mapping[str, Standing], read: Sequence[Position], epochs: Mapping[str, int]) -> Iterator[Check]:
    """`read`: how far each partition was read; `epochs`: of topics whose events the log orders."""
    said = set()
    for at in read:
        mark, now = mark_of(at.metadata), found[at.topic].topic_id
        if mark is None or mark.topic_id == now or at.topic in said:
            continue
        said.add(at.topic)
        if epochs.get(at.topic, mark.epoch + 1) > mark.epoch:
            what = "was deleted and made anew: it is read from its beginning once intake runs"
            yield warning(AREA, at.topic, what, "nothing to do, if that was meant")
        else:
            what = "was deleted and made anew, and its offsets order its events: it is not read"
            yield error(AREA, at.topic, what, f"set `epoch: {mark.epoch + 1}` in its mapping, then start intake again")


def _sizes(settings: Mapping[str, str], topics: Sequence[str]) -> Iterator[Check]:
    try:
        found = largest_messages(settings, topics)
    except KafkaException as refused:
        what = f"max.message.bytes is not told ({refused.args[0].str()})"
        yield warning(AREA, "largest event", what, "allow DESCRIBE_CONFIGS on the source topics")
        return
    for topic, size in found.items():
        if size > LARGEST_BYTES:
            fix = f"lower its max.message.bytes to the {LARGEST_BYTES} of a dead letter: else a large bad event stops it"
            yield warning(AREA, topic, f"max.message.bytes={size}", fix)
