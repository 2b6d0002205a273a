"""What an operator gives up: messages that were deleted before a group had read them.

A group takes offsets only from its members while it has any, so nobody could help it from outside without stopping it all.
So the word is left beside it, as offsets of another group: the committed offset behind which whatever is missing is given
up. The members that cannot go on look there now and then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.logs.groups import Position, positions
from connectors.logs.kafka_client import client_log

Settings = Mapping[str, str | int | float | bool]


def beside(group: str) -> str:
    """The name of the group that holds what is given up."""
    return f"{group}-skip"


class GivenUp:
    """What is given up of one group, as its members ask for it."""

    def __init__(self, settings: Mapping[str, str], group: str) -> None:
        self._settings = {**settings, "group.id": beside(group)}
        self._consumer: Consumer | None = None  # made when it is first asked; never joins

    def behind(self, partition: TopicPartition, seconds: float) -> int | None:
        """The committed offset behind which what is missing may be left out, if anybody said so. Raises KafkaException."""
        if self._consumer is None:
            self._consumer = Consumer({**self._settings, "enable.auto.commit": False}, logger=client_log)
        (found,) = self._consumer.committed([partition], seconds)
        if found.error is not None:
            raise KafkaException(found.error)
        return found.offset if found.offset >= 0 else None


def give_up(settings: Settings, group: str, topics: Sequence[str]) -> list[Position]:
    """Gives up what is missing in the topics (full names). Returns the partitions concerned, as they stand.

    Raises KafkaException.
    """
    lost = [
        at
        for at in positions(settings, group, topics)
        if at.committed is not None and not at.first <= at.committed <= at.end
    ]
    if lost:
        consumer = Consumer({**settings, "group.id": beside(group), "enable.auto.commit": False})
        try:
            offsets = [TopicPartition(at.topic, at.partition, at.committed or 0) for at in lost]
            for done in consumer.commit(offsets=offsets, asynchronous=False) or ():
                if done.error is not None:
                    raise KafkaException(done.error)
        finally:
            consumer.close()
    return lost
