"""Whether the table topics hold what their inboxes led to, as far as their ends tell.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.logs.groups import Position, positions
from schemas.topics import table_topic
from streams.app.facts.compare import FactsError
from streams.app.wiring import STATEFUL, Deployment
from streams.engine.store import MARKER, MARKER_KEY, lost_table

FLUSH_SECONDS = 30.0


class Table(NamedTuple):
    """The table topic of one processor beside its inbox."""

    topic: str  # full name
    table: tuple[Position, ...]  # of its partitions; none if it does not exist
    consumed: frozenset[int]  # partitions of the inbox of which messages were consumed

    @property
    def gone(self) -> bool:
        return not self.table and bool(self.consumed)

    @property
    def cut(self) -> list[int]:
        """Partitions whose beginning was deleted."""
        return [at.partition for at in self.table if at.first > 0]

    @property
    def empty(self) -> list[int]:
        """Partitions that hold nothing although messages were consumed."""
        return [at.partition for at in self.table if at.end == 0 and at.partition in self.consumed]


def tables(deployment: Deployment, settings: Mapping[str, str]) -> Iterator[Table]:
    for processor in sorted(STATEFUL):
        group = deployment.configuration.prefix + processor
        topic, inbox = deployment.names.physical(table_topic(processor)), deployment.names.physical(processor)
        inbox_at = positions(settings, group, [inbox])
        consumed = frozenset(at.partition for at in inbox_at if at.committed)
        yield Table(topic, tuple(positions(settings, group, [topic])), consumed)


def losses(found: Table) -> list[str]:
    """What was lost, each with what to do. Pure."""
    told = [lost_table(f"{found.topic} is gone", found.topic)] if found.gone else []
    if found.cut:
        told.append(lost_table(f"the beginning of {_places(found.topic, found.cut)} was deleted", found.topic))
    if found.empty:
        what = f"{_places(found.topic, found.empty)} is empty, though messages of the inbox were consumed"
        told.append(lost_table(what, found.topic))
    return told


def adopt_tables(deployment: Deployment, settings: Mapping[str, str]) -> None:
    """Of a deployment whose facts were never kept. A partition beside others that hold something may be empty because
    nothing came of its messages: from now on a row of ours says so. Raises FactsError for a table that is gone or empty.
    """
    for found in tables(deployment, settings):
        if found.gone or (found.empty and not any(at.end for at in found.table)):
            raise FactsError(losses(found))
        if found.empty:
            _mark(settings, found.topic, found.empty)


def _mark(settings: Mapping[str, str], topic: str, partitions: Sequence[int]) -> None:
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            failed.append(error)

    producer = Producer({"acks": "all", **settings})
    for partition in partitions:
        producer.produce(topic, MARKER, MARKER_KEY, partition=partition, on_delivery=delivered)
    if producer.flush(FLUSH_SECONDS) or failed:
        raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT, f"{topic} was not written in time"))


def _places(topic: str, partitions: Sequence[int]) -> str:
    return ", ".join(f"{topic}/{partition}" for partition in partitions)
