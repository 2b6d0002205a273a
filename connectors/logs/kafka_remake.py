"""Makes an inbox anew whose partitions somebody has changed, with the messages that wait in it.

What waits is copied to a topic beside it (`<inbox>.moving`), the inbox is deleted and created with the partitions it had,
and the messages go to the partitions their keys belong to. A crash at any moment is mended by doing it again: as long as the
copy is not complete the inbox is untouched, and once it is complete the inbox is made from it. Nobody may run meanwhile.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs.groups import coordinated, describe_group
from connectors.logs.partitioner import partition_of
from connectors.logs.topics import TIMEOUT, ActiveGroupError, ensure_topics, partition_counts
from schemas.topics import LARGEST_MESSAGE_BYTES, TopicSpec

MOVING = ".moving"
COMPLETE = "singleview.complete"
"""The header of the copy's last message."""

Settings = Mapping[str, str | int | float | bool]


def remake(settings: Settings, spec: TopicSpec, prefix: str, replication: int, group: str, others: Collection[str]) -> int:
    """Returns how many messages waited. `others`: groups of which nobody may run either. Raises ActiveGroupError."""
    inbox, moving = prefix + spec.name, prefix + spec.name + MOVING
    _nobody_runs(settings, [group, *others], inbox)
    waiting = _complete_copy(settings, moving)
    if waiting is None:
        waiting = _copy(settings, inbox, spec, prefix, replication, group)
    _delete(settings, inbox)
    ensure_topics(settings, [spec], prefix, replication)
    with closing(_reader(settings, group)) as reader:
        _send(settings, inbox, (m for m in _read(reader, moving, 0, 0) if not _is_last(m)), spec.partitions)
        begin = [TopicPartition(inbox, partition, 0) for partition in range(spec.partitions)]
        reader.commit(offsets=begin, asynchronous=False)
    _delete(settings, moving)
    return waiting


def _nobody_runs(settings: Settings, groups: Collection[str], topic: str) -> None:
    for group in groups:
        coordinated(settings, group, topic)
        if members := describe_group(settings, group).members:
            names = ", ".join(sorted({member.name for member in members}))
            raise ActiveGroupError(
                f"{names} runs in group {group}: stop every process; one that has just died counts for 10 s"
            )


def _copy(settings: Settings, inbox: str, spec: TopicSpec, prefix: str, replication: int, group: str) -> int:
    moving = inbox + MOVING
    _delete(settings, moving)
    ensure_topics(settings, [spec._replace(name=spec.name + MOVING, partitions=1)], prefix, replication)
    count = 0
    with closing(_reader(settings, group)) as reader:
        for partition in range(partition_counts(settings, [inbox])[inbox]):
            (at,) = reader.committed([TopicPartition(inbox, partition)], timeout=TIMEOUT)
            first, _ = reader.get_watermark_offsets(TopicPartition(inbox, partition), timeout=TIMEOUT)
            count += _send(settings, moving, _read(reader, inbox, partition, max(first, at.offset)), 1)
    producer = Producer({"acks": "all", **settings})
    producer.produce(moving, str(count).encode(), headers=[(COMPLETE, b"1")], partition=0)
    _flushed(producer, moving)
    return count


def _complete_copy(settings: Settings, moving: str) -> int | None:
    """How many messages a complete copy holds; None if there is none."""
    if moving not in partition_counts(settings, [moving]):
        return None
    with closing(_reader(settings, moving)) as reader:
        ends = [message.value() for message in _read(reader, moving, 0, 0) if _is_last(message)]
    return int(ends[0] or b"0") if ends else None


def _is_last(message: Message) -> bool:
    headers: Any = message.headers() or ()
    return any(name == COMPLETE for name, _ in headers)


def _reader(settings: Settings, group: str) -> Consumer:
    own = {"group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
    return Consumer({**settings, **own})


def _read(reader: Consumer, topic: str, partition: int, start: int) -> Iterator[Message]:
    """From an offset to the end."""
    reader.assign([TopicPartition(topic, partition, start)])
    while True:
        for message in reader.consume(1_000, 0.5):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise KafkaException(error)


def _send(settings: Settings, topic: str, messages: Iterator[Message], partitions: int) -> int:
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            failed.append(error)

    producer = Producer({"acks": "all", "message.max.bytes": LARGEST_MESSAGE_BYTES, **settings})
    count = 0
    for message in messages:
        key, (_, timestamp) = message.key(), message.timestamp()
        place, headers = partition_of(key, partitions), cast(Any, message.headers())
        while True:
            try:
                producer.produce(
                    topic, message.value(), key, place, on_delivery=delivered, timestamp=timestamp, headers=headers
                )
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
    _flushed(producer, topic)
    if failed:
        raise KafkaException(failed[0])
    return count


def _flushed(producer: Producer, topic: str) -> None:
    if producer.flush(TIMEOUT):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic} was not written within {TIMEOUT:.0f} s"))


def _delete(settings: Settings, topic: str) -> None:
    """Returns once no broker knows it."""
    admin = AdminClient(dict(settings))
    if topic in admin.list_topics(timeout=TIMEOUT).topics:
        admin.delete_topics([topic], operation_timeout=TIMEOUT)[topic].result()
    deadline = time.monotonic() + TIMEOUT
    while topic in admin.list_topics(timeout=TIMEOUT).topics and time.monotonic() < deadline:
        admin.poll(0.05)
