"""The consumer groups: first offsets set and still valid, who runs, how far behind."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

from confluent_kafka import KafkaException

from connectors.logs.groups import Group, Position, describe_group, positions, waiting
from streams.app.broker import quiet
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.wiring import PROCESSORS, Deployment

AREA = "groups"
WATCH_SECONDS = 3.0
"""Between two looks at a group with messages before it. A batch takes less."""
GROWS = 1_000
"""Offsets within that time: less may be a batch that has just come."""


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
            members = describe_group(settings, group) if found else None
            yield from judge(processor, group, found, members)
            if members and members.members and (stuck := waiting(settings, group, found)):
                time.sleep(WATCH_SECONDS)
                yield from judge_reading(group, stuck, positions(settings, group, topics))
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


def judge_reading(name: str, before: Sequence[Position], after: Sequence[Position]) -> Iterator[Check]:
    """`before`: partitions in which messages waited; `after`: all of the group, some seconds later."""
    now = {(at.topic, at.partition): at for at in after}
    pairs = [(at, now[at.topic, at.partition]) for at in before if (at.topic, at.partition) in now]
    still = [was for was, at in pairs if was.committed == at.committed]
    if still:
        found = f"messages wait in {_places(still)}, and none was read for {WATCH_SECONDS:.0f} s"
        yield warning(AREA, name, found, "see /ready of its processes, and their log: stopped, restoring, or in trouble")
    grown = sum(at.lag - was.lag for was, at in pairs)
    if not still and grown > GROWS:
        found = f"{grown:,} offsets more behind after {WATCH_SECONDS:.0f} s"
        yield warning(AREA, name, found, "if that goes on, start more processes: see docs/operations.md")


def _lost(found: Sequence[Position]) -> str:
    """What is not there any more."""
    return ", ".join(
        f"{at.topic}/{at.partition} was read to {at.committed}, but is there from {at.first} to {at.end}" for at in found
    )


def _places(found: Sequence[Position]) -> str:
    return ", ".join(f"{at.topic}/{at.partition}" for at in found)
