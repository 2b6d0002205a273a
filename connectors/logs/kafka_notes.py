"""Small notes in a compacted topic of one partition: all are read at once, one is written at a time.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

TIMEOUT = 30.0  # seconds for one request to the cluster

Settings = Mapping[str, str | int | float | bool]


def read_notes(settings: Settings, topic: str, group: str) -> dict[bytes, bytes]:
    """The newest value of each key. `group`: the consumer's name; it never joins."""
    own = {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    notes: dict[bytes, bytes] = {}
    with closing(Consumer({**settings, **own})) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            found = consumer.poll(TIMEOUT)
            if found is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic} was not read within {TIMEOUT:.0f} s"))
            error, key, value = found.error(), found.key(), found.value()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    return notes
                raise KafkaException(error)
            if key is not None and value is not None:
                notes[key] = value
            elif key is not None:
                notes.pop(key, None)


def write_note(settings: Settings, topic: str, key: bytes, value: bytes) -> None:
    """Returns once the brokers have it."""
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            failed.append(error)

    producer = Producer({"acks": "all", "message.timeout.ms": int(TIMEOUT * 1000), **settings})
    producer.produce(topic, value, key, partition=0, on_delivery=delivered)
    producer.flush(TIMEOUT)
    if failed:
        raise KafkaException(failed[0])
    if len(producer):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic} was not written within {TIMEOUT:.0f} s"))
