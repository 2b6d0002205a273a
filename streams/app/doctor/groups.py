"""The consumer groups: first offsets set and still valid, who runs, how far behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from confluent_kafka import KafkaException

from connectors.logs.groups import Group, Position, describe_group, positions
from streams.app.broker import quiet
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.wiring import PROCESSORS, Deployment

AREA = "groups"


def check_groups(deployment: Deployment, unseen: Collection[str] = ()) -> Iterator[Check]:
    """`unseen`: groups and topics that may not be looked at, which is told elsewhere."""
    settings = quiet(deployment.configuration.kafka_settings)
    for processor in PROCESSORS:
        group = deployment.configuration.prefix + processor
        if group in unseen:
            continue
        topics = [deployment.names.physical(topic) for topic in deployment.inbox(processor)]
        try:
            found = positions(settings, group, topics)
            yield from judge(processor, group, found, describe_group(settings, group) if found else None)
        except KafkaException as refused:
            yield error(
                AREA, group, f"not told ({refused.args[0].str()})", "allow READ and DESCRIBE on the group and its topics"
            )


def judge(processor: str, name: str, found: Sequence[Position], group: Group | None) -> Iterator[Check]:
    """`found`: nothing if no topic exists, which is told with the topics."""
    unset = [at for at in found if at.committed is None]
    if unset and processor != "intake":  # a source is read from its beginning
        yield error(
            AREA, name, f"no first offset in {_places(unset)}", "stop its members, if any, and run `singleview init`"
        )
    lost = [at for at in found if at.committed is not None and not at.first <= at.committed <= at.end]
    if lost:
        again = "have its source send them once more if it can; to go on without them: " if processor == "intake" else ""
        topics = " ".join(f"--skip-lost {topic}" for topic in sorted({at.topic for at in lost}))
        yield error(AREA, name, f"{_lost(lost)}: it is not read", f"{again}singleview init {topics}")
    if group is None:
        return
    behind = f"{sum(at.lag for at in found):,} offsets behind, transaction markers included"
    if group.members:
        yield ok(AREA, name, f"{len(group.members)} members, {group.state.lower()}, {behind}")
    else:
        yield warning(AREA, name, f"nobody runs it, {behind}", f"start it: `singleview run {processor}`")


def _lost(found: Sequence[Position]) -> str:
    """What is not there any more."""
    return ", ".join(
        f"{at.topic}/{at.partition} was read to {at.committed}, but is there from {at.first} to {at.end}" for at in found
    )


def _places(found: Sequence[Position]) -> str:
    return ", ".join(f"{at.topic}/{at.partition}" for at in found)
