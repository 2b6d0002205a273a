"""What must not change unseen: the facts that are kept, and which releases run side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from confluent_kafka import KafkaException

from schemas.versions import Release, this_release
from streams.app.broker import quiet
from streams.app.console import WorkError
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.facts.compare import judge_members
from streams.app.facts.kafka import compared, running
from streams.app.facts.tables import losses, tables
from streams.app.wiring import Deployment

AREA = "deployment"
FACTS, RELEASES = "facts", "releases that run"


def check_deployment(deployment: Deployment, unseen: Collection[str] = ()) -> Iterator[Check]:
    """`unseen`: groups and topics that may not be looked at, which is told elsewhere: nothing is compared then."""
    if unseen:
        return
    settings = quiet(deployment.configuration.kafka_settings)
    yield from _facts(deployment, settings)
    yield from _tables(deployment, settings)
    try:
        yield from judge_releases([(one.name, one.release) for one in running(deployment, settings)], this_release())
    except KafkaException as refused:
        yield warning(AREA, RELEASES, f"not told ({refused.args[0].str()})", "allow DESCRIBE on the groups")


def _facts(deployment: Deployment, settings: dict[str, str]) -> Iterator[Check]:
    try:
        kept, verdict = compared(deployment, settings)
    except KafkaException as failed:
        fix = "allow READ and DESCRIBE on singleview's topics, `deployment` among them"
        yield error(AREA, FACTS, f"not told ({failed.args[0].str()})", fix)
        return
    except WorkError as wrong:
        found, _, fix = str(wrong).partition(": ")
        yield error(AREA, FACTS, found, fix)
        return
    for refused in verdict.refused:
        yield error(AREA, FACTS, *_in_two(refused))
    for told in verdict.told:
        yield warning(AREA, "since the last start", told, "nothing, if it is meant to be: the next start takes it in")
    if kept is None:
        yield warning(AREA, FACTS, "none are kept yet", "run `singleview init`: then a change that does harm is refused")
    elif not verdict.refused:
        yield ok(AREA, FACTS, "secret, realms, partitions, sources and tables as they were")


def _tables(deployment: Deployment, settings: dict[str, str]) -> Iterator[Check]:
    try:
        for table in tables(deployment, settings):
            for lost in losses(table):
                yield error(AREA, table.topic, *_in_two(lost))
    except KafkaException as failed:
        yield error(AREA, "tables", f"not told ({failed.args[0].str()})", "allow READ and DESCRIBE on groups and tables")


def _in_two(refused: str) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    found, _, fix = refused.partition(". ")
    if not fix:
        found, _, fix = refused.rpartition(": ")
    return found, fix


def judge_releases(members: list[tuple[str, Release]], own: Release) -> Iterator[Check]:
    """`members`: name and release of all that run; `own`: this release."""
    for refused in judge_members(members, own):
        yield error(AREA, RELEASES, *_in_two(refused))
    names = sorted({release.name for _, release in members})
    if len(names) > 1:
        yield warning(AREA, RELEASES, ", ".join(names), "end the upgrade: start the newest everywhere")
    elif names:
        yield ok(AREA, RELEASES, names[0])
