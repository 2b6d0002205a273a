"""Reads a subscriber's topic as a subscriber does, and notes when each notification came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from benchmarks.cluster import TIMEOUT, Cluster
from schemas.view import CustomerChange

Decode = Callable[[bytes], CustomerChange]


class Notification(NamedTuple):
    read_at: float  # seconds since the epoch
    value: bytes


class Subscription:
    """Everything that came since it was made. Values are decoded only when asked for, so reading costs little."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._ended: dict[tuple[str | None, int | None], int] = {}  # where a partition was last found to end
        self.came: list[Notification] = []

    def read(self, seconds: float) -> int:
        """Reads for `seconds`; how many came."""
        before = len(self.came)
        for message in self._consumer.consume(10_000, seconds):
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                self._ended[message.topic(), message.partition()] = message.offset() or 0
                continue
            value = message.value()
            assert isinstance(value, bytes)
            self.came.append(Notification(time.time(), value))
        return len(self.came) - before

    def has_reached(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether all before these offsets was read."""
        return all(self._ended.get(partition, 0) >= end for partition, end in ends.items())

    @property
    def last_read_at(self) -> float:
        return self.came[-1].read_at if self.came else 0.0

    def latencies_ms(self, decode: Decode, since_ms: int) -> list[float]:
        """From the event time of each notification, if not before `since_ms`, to when it was read."""
        pairs = ((notification.read_at * 1000, decode(notification.value).event_time) for notification in self.came)
        return [read - event for read, event in pairs if event >= since_ms]


@contextmanager
def subscribed(cluster: Cluster, topic: str) -> Iterator[Subscription]:
    """From the present end of the topic."""
    ends = cluster.ends([topic])
    with cluster.reader(settings={"fetch.wait.max.ms": 100, "enable.partition.eof": True}) as consumer:
        consumer.assign([TopicPartition(name, partition, offset) for (name, partition), offset in ends.items()])
        for name, partition in ends:
            consumer.position([TopicPartition(name, partition)])
        consumer.list_topics(topic, TIMEOUT)  # connected before anything is measured
        yield Subscription(consumer)
