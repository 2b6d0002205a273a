"""An inbox is kept until it is consumed, and not for longer."""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.logs import kafka_purge
from connectors.logs.kafka import KafkaSession
from streams.engine.runtime import Worker
from tables.rocks import RocksStores
from tests.kafka.plant import PATIENCE, Counter, Plant

pytestmark = pytest.mark.kafka


def kept(plant: Plant) -> int:
    """Offsets of the inbox that can still be read."""
    inbox = plant.names.physical("in")
    with closing(Consumer({**plant.settings, "group.id": plant.names.prefix + "test-reader"})) as reader:
        marks = [reader.get_watermark_offsets(TopicPartition(inbox, partition), timeout=PATIENCE) for partition in range(2)]
        return sum(end - first for first, end in filter(None, marks))


@pytest.mark.parametrize("purge", [True, False])
def test_an_inbox_of_ours_loses_what_was_consumed_and_nothing_else(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, purge: bool
) -> None:
    monkeypatch.setattr(kafka_purge, "PURGE_SECONDS", 0.0)
    plant.init()
    session = KafkaSession(plant.connection("a"), "counter", ["in"], purge=purge)
    worker = Worker(Counter(), session, RocksStores(plant.folder / "a", plant.options))
    plant.workers.append(worker)
    deadline = time.monotonic() + PATIENCE
    plant.feed([(b"%d" % n, b"v") for n in range(30)])
    while worker.counts.messages < 30:
        assert time.monotonic() < deadline
        worker.step(0.2)
    assert plant.consumed() == 30
    while purge and kept(plant):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    plant.feed([(b"%d" % n, b"v") for n in range(10)])
    assert kept(plant) == (10 if purge else 40)
    while worker.counts.messages < 40:
        assert time.monotonic() < deadline
        worker.step(0.2)
    assert len(plant.read("out")) == 40
