"""Sending a message, whoever sends: apart from the broker's set-up, which a contender has no use for."""

from __future__ import annotations

from confluent_kafka import Producer

ANY_PARTITION = -1
"""The client chooses it by the key."""


def send(
    producer: Producer, topic: str, value: bytes | None, key: bytes | str | None, partition: int = ANY_PARTITION
) -> None:
    """Waits while the client's queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:
            producer.poll(0.1)
        else:
            return
