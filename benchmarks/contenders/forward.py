"""Consume and produce alone: every message is sent on unchanged, in transactions. No state: what the client itself costs."""

from __future__ import annotations

import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

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


def main(task: Task) -> None:
    consumer = Consumer({**CONSUMER, "bootstrap.servers": task.brokers, "group.id": task.group})
    producer = Producer({**PRODUCER, "bootstrap.servers": task.brokers, "transactional.id": f"{task.group}-forward"})
    producer.init_transactions(30)
    consumer.subscribe([task.source])
    while True:
        found = consumer.consume(1, 0.2)  # consume(n, t) would wait all of t for n messages
        if not found:
            continue
        found += consumer.consume(BATCH - 1, 0)
        producer.begin_transaction()
        offsets: dict[int, int] = {}
        for message in found:
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            _send(producer, task.output, message.value(), message.key())
            offsets[message.partition() or 0] = (message.offset() or 0) + 1
        positions = [TopicPartition(task.source, partition, offset) for partition, offset in offsets.items()]
        producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 10)
        producer.commit_transaction(30)


def _send(producer: Producer, topic: str, value: bytes | None, key: bytes | str | None) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.1)
        else:
            return


if __name__ == "__main__":
    main(parse_task(sys.argv[1]))
