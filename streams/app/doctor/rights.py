"""What singleview's user may not do with its own topics and groups. Sources are looked at by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from confluent_kafka import KafkaException

from connectors.logs.rights import Lack
from streams.app.broker import quiet
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.rights import lacking_rights
from streams.app.wiring import Deployment

AREA = "rights"


def find_lacks(deployment: Deployment) -> Sequence[Lack] | str:
    """The rights that are lacking; or why that is not known."""
    try:
        return list(lacking_rights(deployment, quiet(deployment.configuration.kafka_settings), sources=False))
    except KafkaException as failed:
        return str(failed.args[0].str())


def judge(lacks: Sequence[Lack] | str) -> Iterator[Check]:
    if isinstance(lacks, str):
        yield warning(AREA, "of singleview's user", f"not told ({lacks})", "compare with docs/deployment.md yourself")
        return
    for lack in lacks:
        yield error(AREA, f"{lack.kind} {lack.name}", f"singleview's user lacks {lack}", lack.fix)
    if not lacks:
        yield ok(AREA, "of singleview's user", "all that topics and groups need")


def unseen(lacks: Sequence[Lack] | str) -> frozenset[str]:
    """Topics and groups that cannot be looked at: no more is said of them."""
    if isinstance(lacks, str):
        return frozenset()
    return frozenset(lack.name for lack in lacks if lack.kind == "group" or "Describe" in lack.rights)
