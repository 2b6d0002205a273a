"""The table topic on a real broker, while somebody's transaction is open on it."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from connectors.logs.kafka_table import KafkaTable
from schemas.topics import table_topic
from streams.engine.log import TableRecord
from tests.kafka.plant import PATIENCE, Plant

pytestmark = pytest.mark.kafka

COMMITTED, OPEN = 5, 7


@pytest.fixture
def table(plant: Plant) -> KafkaTable:
    return KafkaTable(plant.connection("a"), plant.names.physical(table_topic("counter")))


@pytest.fixture
def writer(plant: Plant) -> Producer:
    """Has committed some rows of partition 1, and has written and not committed some more."""
    producer = Producer({**plant.settings, "transactional.id": plant.names.prefix + "writer"})
    producer.init_transactions(PATIENCE)
    _write(plant, producer, b"committed", COMMITTED)
    producer.commit_transaction(PATIENCE)
    _write(plant, producer, b"open", OPEN)
    assert producer.flush(PATIENCE) == 0
    return producer


def _write(plant: Plant, producer: Producer, value: bytes, rows: int) -> None:
    producer.begin_transaction()
    for row in range(rows):
        producer.produce(plant.names.physical(table_topic("counter")), value, b"%d" % row, partition=1)


def test_the_end_counts_what_an_open_transaction_has_written(table: KafkaTable, writer: Producer) -> None:
    marker = 1
    assert table.end(1)[1:3] == (0, COMMITTED + marker + OPEN)
    writer.commit_transaction(PATIENCE)
    assert table.end(1).end == COMMITTED + marker + OPEN + marker


def test_a_restore_waits_for_the_open_transaction_and_misses_nothing_it_commits(table: KafkaTable, writer: Producer) -> None:
    slices = table.read(1, 0, table.end(1).end)
    found: list[TableRecord] = []
    while len(found) < COMMITTED:
        found += next(slices)
    assert [record.value for record in found] == [b"committed"] * COMMITTED
    assert next(slices) == []
    writer.commit_transaction(PATIENCE)
    assert [record.value for records in slices for record in records] == [b"open"] * OPEN


def test_what_the_open_transaction_gives_up_is_not_waited_for_after_its_end(table: KafkaTable, writer: Producer) -> None:
    slices = table.read(1, 0, table.end(1).end)
    writer.abort_transaction(PATIENCE)
    assert [record.value for records in slices for record in records] == [b"committed"] * COMMITTED
