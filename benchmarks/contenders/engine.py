"""singleview's engine: Worker, Kafka session and RocksDB stores as `singleview run` uses them, with a small processor."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from multiprocessing import Process

import msgspec

from benchmarks.task import Task, parse_task
from connectors.logs.kafka import Connection, KafkaSession
from schemas.topics import TopicNames
from streams.engine.collector import relax_collector
from streams.engine.contract import Message, Outbox, Store
from streams.engine.runtime import Worker
from tables.rocks import RocksStores, StoreOptions

PROCESSOR = "merge"
OUTPUT = "out"


class Row(msgspec.Struct):
    """The state of one key, and the output."""

    count: int
    merged: dict[str, object]


encode_row = msgspec.json.Encoder().encode
decode_row = msgspec.json.Decoder(Row).decode
decode_fields = msgspec.json.Decoder(dict[str, object]).decode


class Merge:
    """Merges the events of each key into one object and counts them."""

    name = PROCESSOR

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([message.key for message in batch if message.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        assert message.key is not None
        assert message.value is not None
        found = store.get(message.key)
        row = decode_row(found) if found is not None else Row(0, {})
        row.count += 1
        row.merged.update(decode_fields(message.value))
        encoded = encode_row(row)
        store.put(message.key, encoded)
        out.send(OUTPUT, message.key, encoded)


def make_worker(task: Task, instance: str = "bench") -> Worker:
    names = TopicNames(task.prefix, frozenset({task.source}))
    connection = Connection({"bootstrap.servers": task.brokers}, names, instance)
    session = KafkaSession(connection, PROCESSOR, [task.source], from_beginning=True)
    return Worker(Merge(), session, RocksStores(task.path / instance, StoreOptions.bounded()))


def work(task: Task, instance: str) -> None:
    relax_collector()  # as `singleview run` does
    worker = make_worker(task, instance)
    while True:
        worker.step(0.2)


def main(task: Task, processes: int) -> None:
    """One process, or several in one group: the others are children, and end with this one."""
    for number in range(1, processes):
        Process(target=work, args=(task, f"bench-{number}"), daemon=True).start()
    work(task, "bench")


if __name__ == "__main__":
    main(parse_task(sys.argv[1]), int(sys.argv[2]))
