"""Consumer groups as an operator sees them: how far they are, and who is in them. Never joins one.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

TIMEOUT = 10.0  # seconds for one request to the cluster

Settings = Mapping[str, str | int | float | bool]


class Position(NamedTuple):
    """How far a group is in one partition."""

    topic: str
    partition: int
    committed: int | None  # the next offset to read; None if never set
    first: int  # offset there is
    end: int  # one past the last, transaction markers included
    metadata: str = ""  # committed with the offset

    @property
    def lag(self) -> int:
        """Offsets still to read; of a group without an offset, all there are."""
        start = self.first if self.committed is None else max(self.committed, self.first)
        return max(0, self.end - start)


class Member(NamedTuple):
    """One process in a group."""

    name: str  # its instance, or where it runs if it has none
    client_id: str


class Group(NamedTuple):
    """Who is in a group."""

    state: str
    members: tuple[Member, ...]


def positions(settings: Settings, group: str, topics: Sequence[str]) -> list[Position]:
    """How far `group` is in every partition of the topics (full names) that exist."""
    consumer = Consumer({**settings, "group.id": group, "enable.auto.commit": False})
    try:
        known = consumer.list_topics(timeout=TIMEOUT).topics
        wanted = [TopicPartition(topic, p) for topic in topics if topic in known for p in sorted(known[topic].partitions)]
        found = []
        for at in consumer.committed(wanted, timeout=TIMEOUT) if wanted else ():
            if at.error is not None:
                raise KafkaException(at.error)
            first, end = consumer.get_watermark_offsets(TopicPartition(at.topic, at.partition), timeout=TIMEOUT)
            committed = at.offset if at.offset >= 0 else None
            found.append(Position(at.topic, at.partition, committed, first, end, at.metadata or ""))
    finally:
        consumer.close()
    return found


def waiting(settings: Settings, group: str, found: Sequence[Position]) -> list[Position]:
    """Partitions in which a committed message lies at or after the group's offset. A group at rest is still some transaction
    markers behind: they are no messages. What cannot be read is left out."""
    behind = {(at.topic, at.partition): at for at in found if at.lag}
    own = {"group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer({**settings, **own})
    try:
        starts = {place: max(at.first, at.committed or 0) for place, at in behind.items()}
        consumer.assign([TopicPartition(*place, start) for place, start in starts.items()])
        left, with_messages, deadline = set(behind), [], time.monotonic() + TIMEOUT
        while left and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            place = (message.topic() or "", message.partition() or 0)
            if place in left and message.error() is None:
                with_messages.append(behind[place])
            left.discard(place)
        return with_messages
    finally:
        consumer.close()


def describe_group(settings: Settings, name: str) -> Group:
    """Who is in a group. Ask `positions` first: confluent-kafka 2.16 may crash while a group's coordinator starts."""
    admin = AdminClient(dict(settings))
    found = admin.describe_consumer_groups([name], request_timeout=TIMEOUT)[name].result()
    members = [Member(member.group_instance_id or member.host.lstrip("/"), member.client_id) for member in found.members]
    return Group(found.state.name, tuple(members))


def coordinated(settings: Settings, group: str, topic: str, timeout: float = TIMEOUT) -> None:
    """Returns once the group's coordinator answers: see `describe_group`."""
    consumer = Consumer({**settings, "group.id": group, "enable.auto.commit": False})
    try:
        consumer.committed([TopicPartition(topic, 0)], timeout=timeout)
    finally:
        consumer.close()
