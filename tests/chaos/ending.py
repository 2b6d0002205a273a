"""What must hold once everything is consumed: the input, the output, the table and every store tell the same."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_table import KafkaTable
from schemas.topics import TopicNames, table_topic
from streams.engine.store import PartitionStore
from tables.rocks import RocksStores, StoreOptions
from tests.chaos.counting import NAME, PARTITIONS, Counted, fold

PATIENCE = 120.0


class Ending(NamedTuple):
    """The comparison. All zero but the first three, if all is well."""

    messages: int
    restored: int  # table offsets read into an empty store
    restore_seconds: float
    lost: int  # messages without an output
    doubled: int  # outputs beyond the first of a message
    gaps: int  # versions out of order
    wrong_rows: int  # of the table, compared with the pure fold of the input
    wrong_restored: int  # of stores rebuilt from the table topic
    wrong_stores: int  # of the workers' own stores

    @property
    def well(self) -> bool:
        return not any((self.lost, self.doubled, self.gaps, self.wrong_rows, self.wrong_restored, self.wrong_stores))


def read(brokers: str, topic: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Everything a read-committed reader sees, partition by partition in order."""
    settings: dict[str, Any] = {
        "bootstrap.servers": brokers,
        "group.id": topic + ".ending",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "log_level": 0,
    }
    consumer = Consumer(settings)
    deadline = time.monotonic() + PATIENCE
    for partition in range(PARTITIONS):
        consumer.assign([TopicPartition(topic, partition, 0)])
        ended = False
        while not ended:
            assert time.monotonic() < deadline, f"{topic} could not be read in time"
            for message in consumer.consume(5_000, 0.2):
                if message.error():
                    ended = True
                else:
                    yield message.key() or b"", message.value()
    consumer.close()


def compare(brokers: str, prefix: str, owners: Mapping[int, Path], scratch: Path) -> Ending:
    """`owners`: for each partition, the folder of stores of the (stopped) worker that held it last."""
    names = TopicNames(prefix)
    rows: dict[bytes, bytes] = {}
    sent: dict[bytes, int] = {}
    for key, value in read(brokers, names.physical("in")):
        sent[key] = sent.get(key, 0) + 1
        rows[key] = b"%d %d" % fold(rows.get(key), int((value or b"").split()[0]))
    counted: dict[bytes, list[Counted]] = {}
    for key, value in read(brokers, names.physical("out")):
        counted.setdefault(key, []).append(Counted.decode(value or b""))
    lost = doubled = gaps = 0
    for key, count in sent.items():
        found = counted.get(key, [])
        numbers = {output.number for output in found}
        lost += count - len(numbers)
        doubled += len(found) - len(numbers)
        gaps += sum(output.version != index + 1 for index, output in enumerate(found))
    table: dict[bytes, bytes] = {}
    for key, value in read(brokers, names.physical(table_topic(NAME))):
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    restored, offsets, seconds = _restored(brokers, names, scratch)
    own: dict[bytes, bytes] = {}
    options = StoreOptions.bounded(8 << 20)
    for partition, folder in owners.items():
        own |= _rows(RocksStores(folder, options).open(partition))
    return Ending(
        sum(sent.values()),
        offsets,
        seconds,
        lost,
        doubled,
        gaps,
        _differences(table, rows),
        _differences(restored, rows),
        _differences(own, rows),
    )


def _restored(brokers: str, names: TopicNames, scratch: Path) -> tuple[dict[bytes, bytes], int, float]:
    """What empty stores hold after a restore by the engine's own code, how many offsets it read, and how long it took."""
    from streams.engine.store import Restore

    table = KafkaTable(Connection({"bootstrap.servers": brokers}, names, "ending"), names.physical(table_topic(NAME)))
    stores = RocksStores(scratch, StoreOptions.bounded(8 << 20))
    rows: dict[bytes, bytes] = {}
    offsets = 0
    seconds = 0.0
    for partition in range(PARTITIONS):
        began = time.monotonic()
        restore = Restore(_TableOnly(table), stores, partition, max_age_ms=1 << 40, now_ms=int(time.time() * 1000))
        while restore.advance():
            pass
        seconds += time.monotonic() - began
        offsets += restore.progress.total
        rows |= _rows(restore.store)
    return rows, offsets, seconds


class _TableOnly:
    """The part of a session that a restore uses."""

    def __init__(self, table: KafkaTable) -> None:
        self.table_end = table.end
        self.read_table = table.read


def _rows(store: PartitionStore) -> dict[bytes, bytes]:
    rows = dict(store.scan(b"k"))
    store.close()
    return rows


def _differences(found: Mapping[bytes, bytes], expected: Mapping[bytes, bytes]) -> int:
    return sum(found.get(key) != expected.get(key) for key in found.keys() | expected.keys())
