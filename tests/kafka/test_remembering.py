"""What a processor without a store remembers is committed with the offsets of its source topic, on a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_client import Connection
from schemas.topics import TopicNames
from streams.engine.runtime import Limits, Worker
from tests.numbers import Numbers

pytestmark = pytest.mark.kafka

PATIENCE = 60.0
MESSAGES = 20


class KilledError(BaseException):
    """The process is gone."""


@pytest.fixture
def names(kafka: str, unique: str) -> TopicNames:
    """A source topic `in` with messages, and a topic `out`."""
    names = TopicNames(unique, frozenset({f"{unique}in"}))
    admin = AdminClient({"bootstrap.servers": kafka})
    for made in admin.create_topics([NewTopic(f"{unique}{topic}", 1, 1) for topic in ("in", "out")]).values():
        made.result()
    producer = Producer({"bootstrap.servers": kafka})
    for _ in range(MESSAGES):
        producer.produce(f"{unique}in", b"v", b"k")
    assert producer.flush(30) == 0
    return names


@pytest.fixture
def numbers(kafka: str, names: TopicNames) -> Iterator[Consumer]:
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": f"{names.prefix}reader", "isolation.level": "read_committed"}
    )
    consumer.assign([TopicPartition(names.physical("out"), 0, 0)])
    yield consumer
    consumer.close()


def work(kafka: str, names: TopicNames, numbers: Consumer, kill_at: int = 0) -> list[int]:
    """The numbers of a run: until there is one for each message, or until it is killed before step 4 of that batch."""
    batches = 0

    def at(step: int) -> None:
        nonlocal batches
        batches += step == 4
        if step == 4 and batches == kill_at:
            raise KilledError

    source = f"{names.prefix}in"
    session = KafkaSession(
        Connection({"bootstrap.servers": kafka}, names, "one", "classic"), "numbers", [source], from_beginning=True
    )
    worker = Worker(Numbers(topic=source), session, None, limits=Limits(messages=6, retry_seconds=0.01), at=at)
    found: list[int] = []
    deadline = time.monotonic() + PATIENCE
    try:
        while len(found) < MESSAGES:
            worker.step(0.05)
            found += [int(raw.value() or b"") for raw in numbers.consume(100, 0.05) if raw.error() is None]
            assert time.monotonic() < deadline, found
    finally:
        session._consumer.close()  # its transaction stays open, as after a kill; the next start need not wait for the group
    return found


def test_a_process_that_starts_again_goes_on_by_what_was_committed_and_by_nothing_else(
    kafka: str, names: TopicNames, numbers: Consumer
) -> None:
    with pytest.raises(KilledError):
        work(kafka, names, numbers, kill_at=2)
    numbers.seek(TopicPartition(names.physical("out"), 0, 0))

    assert work(kafka, names, numbers) == list(range(MESSAGES))
