"""The same merge in one loop with the same libraries and no engine: the least that the work costs in Python.

No store is restored, no message undone, nothing bounded, and no partition may go to another process: a figure to compare
with, not a program to use.
"""

from __future__ import annotations

import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from benchmarks.contenders.engine import PROCESSOR, Row, decode_fields, decode_row, encode_row
from benchmarks.contenders.forward import CONSUMER, PRODUCER, batched
from benchmarks.task import Task, parse_task
from schemas.topics import table_topic
from streams.engine.store import Sync
from tables.rocks import RocksStore, StoreOptions

NEVER_RESUMED = Sync("", 0, 0)


def main(task: Task) -> None:
    consumer = Consumer({**CONSUMER, "bootstrap.servers": task.brokers, "group.id": task.group})
    producer = Producer({**PRODUCER, "bootstrap.servers": task.brokers, "transactional.id": f"{task.group}-bare"})
    producer.init_transactions(30)
    consumer.subscribe([task.source])
    store = RocksStore(task.path / "rows", StoreOptions.bounded())
    table = task.prefix + table_topic(PROCESSOR)
    while True:
        events: list[tuple[bytes, bytes]] = []
        offsets: dict[int, int] = {}
        for message in batched(consumer):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            events.append((message.key(), message.value()))  # type: ignore[arg-type]  # the input has both, in bytes
            offsets[message.partition() or 0] = (message.offset() or 0) + 1
        if not events:
            continue
        producer.begin_transaction()
        keys = sorted({key for key, _ in events})
        found = dict(zip(keys, store.get_many(keys), strict=True))
        rows: dict[bytes, Row] = {}
        written: dict[bytes, bytes | None] = {}
        for key, value in events:
            row = rows.get(key)
            if row is None:
                stored = found[key]
                row = rows[key] = decode_row(stored) if stored is not None else Row(0, {})
            row.count += 1
            row.merged.update(decode_fields(value))
            encoded = written[key] = encode_row(row)
            producer.produce(task.output, encoded, key)
        for key, data in written.items():
            producer.produce(table, data, key)
        positions = [TopicPartition(task.source, partition, offset) for partition, offset in offsets.items()]
        producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 10)
        producer.commit_transaction(30)
        store.apply(written, NEVER_RESUMED)


if __name__ == "__main__":
    main(parse_task(sys.argv[1]))
