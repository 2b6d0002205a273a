"""Consume and produce alone: every message is sent on unchanged, in transactions. No state: what the client itself costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from benchmarks.sending import send
from benchmarks.task import Task, parse_task

BATCH = 10_000
"""Messages of a transaction, at most."""

CONSUMER = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    "queued.max.messages.kbytes": 16_384,
    "fetch.queue.backoff.ms": 10,
}
PRODUCER = {
    "transaction.timeout.ms": 10_000,
    "partitioner": "murmur2_random",
    "compression.type": "lz4",
    "linger.ms": 5,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 1_000_000,
}
"""As singleview's own (connectors/logs), so that the difference between the two is what it does, not how it is set."""


def main(task: Task, *, one_by_one: bool) -> None:
    """`one_by_one`: a message is asked for and sent on before the next, and its delivery is reported.

    So does the client's own example of read, process and write (confluent-kafka-python, examples/eos-transactions.py),
    but for its transactions, which are of 100.
    """
    consumer = Consumer({**CONSUMER, "bootstrap.servers": task.brokers, "group.id": task.group})
    producer = Producer({**PRODUCER, "bootstrap.servers": task.brokers, "transactional.id": f"{task.group}-forward"})
    producer.init_transactions(30)
    consumer.subscribe([task.source])
    messages = _single if one_by_one else batched
    while True:
        offsets: dict[int, int] = {}
        for message in messages(consumer):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            if not offsets:
                producer.begin_transaction()
            if one_by_one:
                producer.poll(0)
                producer.produce(task.output, message.value(), message.key(), on_delivery=_delivered)
            else:
                send(producer, task.output, message.value(), message.key())
            offsets[message.partition() or 0] = (message.offset() or 0) + 1
        if offsets:
            positions = [TopicPartition(task.source, partition, offset) for partition, offset in offsets.items()]
            producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 10)
            producer.commit_transaction(30)


def _delivered(error: KafkaError | None, message: Message) -> None:  # noqa: ARG001 - the client calls it so
    if error is not None:
        raise KafkaException(error)


def batched(consumer: Consumer) -> list[Message]:
    """All that is there, up to a batch."""
    found: list[Message] = consumer.consume(1, 0.2)  # consume(n, t) would wait all of t for n messages
    return found + consumer.consume(BATCH - 1, 0) if found else found


def _single(consumer: Consumer) -> Iterator[Message]:
    """The same, one after another."""
    for number in range(BATCH):
        message = consumer.poll(0 if number else 0.2)
        if message is None:
            return
        yield message


if __name__ == "__main__":
    main(parse_task(sys.argv[1]), one_by_one="one-by-one" in sys.argv[2:])
