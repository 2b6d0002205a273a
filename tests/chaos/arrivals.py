"""Watches a subscriber's notifications as they come: whether the pipeline goes on after a fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition

READ_SECONDS = 0.1


class Arrivals:
    """A plain read-committed consumer in a thread. It notes when notifications of ever newer source events come through."""

    def __init__(
        self, brokers: str, topic: str, decode: Callable[[bytes], dict[str, Any]], sent_at: Mapping[str, float]
    ) -> None:
        """`sent_at`: when a source event, by `topic/partition/offset`, was published, epoch seconds."""
        self._decode = decode
        self._sent_at = sent_at
        self._seen: dict[int, list[tuple[float, float]]] = {}  # by partition: published, arrived; both go up
        self._stopping = threading.Event()
        settings: dict[str, Any] = {
            "bootstrap.servers": brokers,
            "group.id": topic + ".arrivals",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "reconnect.backoff.max.ms": 500,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
        self._consumer = Consumer(settings)
        self._partitions = sorted(self._consumer.list_topics(topic, 30).topics[topic].partitions)
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in self._partitions])
        self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
        self._thread.start()

    def flowed(self, since: float) -> float | None:
        """When each partition had a notification of an event published since then; epoch seconds. None: not yet."""
        firsts = []
        for partition in self._partitions:
            first = next((arrived for sent, arrived in self._seen.get(partition, ()) if sent >= since), None)
            if first is None:
                return None
            firsts.append(first)
        return max(firsts)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(500, READ_SECONDS):
                value, partition = message.value(), message.partition()
                if message.error() is not None or value is None or partition is None:
                    continue  # brokers that are away are part of the run
                sent = max((self._sent_at.get(cause["ref"], 0.0) for cause in self._decode(value)["causes"]), default=0.0)
                seen = self._seen.setdefault(partition, [])
                if not seen or sent > seen[-1][0]:
                    seen.append((sent, time.time()))
