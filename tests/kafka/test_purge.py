"""An inbox is kept until it is consumed, and not for longer."""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextlib import closing
from logging import Logger
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs import kafka_purge
from connectors.logs.kafka import KafkaSession
from streams.engine.runtime import Worker
from tables.rocks import RocksStores
from tests.kafka.plant import PATIENCE, Counter, Plant

pytestmark = pytest.mark.kafka

LOST = 2


def kept(plant: Plant) -> int:
    """Offsets of the inbox that can still be read."""
    inbox = plant.names.physical("in")
    with closing(Consumer({**plant.settings, "group.id": plant.names.prefix + "test-reader"})) as reader:
        marks = [reader.get_watermark_offsets(TopicPartition(inbox, partition), timeout=PATIENCE) for partition in range(2)]
        return sum(end - first for first, end in filter(None, marks))


def _worker(plant: Plant, purge: bool) -> Worker:
    session = KafkaSession(plant.connection("a"), "counter", ["in"], purge=purge)
    worker = Worker(Counter(), session, RocksStores(plant.folder / "a", plant.options))
    plant.workers.append(worker)
    return worker


class LosingRequests:
    """An admin client whose first requests never reach a broker: it gives up on them."""

    lost = 0

    def __init__(self, settings: dict[str, str], logger: Logger) -> None:
        self._real = AdminClient(dict(settings), logger=logger)

    def delete_records(self, wanted: list[TopicPartition], **options: float) -> dict[TopicPartition, Future[Any]]:
        if LosingRequests.lost == LOST:
            return self._real.delete_records(wanted, **options)
        LosingRequests.lost += 1
        answers: dict[TopicPartition, Future[Any]] = {at: Future() for at in wanted}
        for answer in answers.values():
            answer.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
        return answers


@pytest.mark.parametrize("purge", [True, False])
def test_an_inbox_of_ours_loses_what_was_consumed_and_nothing_else(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, purge: bool
) -> None:
    monkeypatch.setattr(kafka_purge, "PURGE_SECONDS", 0.0)
    plant.init()
    worker = _worker(plant, purge)
    deadline = time.monotonic() + PATIENCE
    plant.feed([(b"%d" % n, b"v") for n in range(30)])
    while worker.counts.messages < 30:
        assert time.monotonic() < deadline
        worker.step(0.2)
    assert plant.consumed() == 30
    while purge and kept(plant):
        assert time.monotonic() < deadline
        worker.step(0.05)
    plant.feed([(b"%d" % n, b"v") for n in range(10)])
    assert kept(plant) == (10 if purge else 40)
    while worker.counts.messages < 40:
        assert time.monotonic() < deadline
        worker.step(0.2)
    assert len(plant.read("out")) == 40


def test_a_request_that_was_never_answered_is_repeated_when_nothing_else_comes(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_purge, "PURGE_SECONDS", 0.0)
    monkeypatch.setattr(kafka_purge, "AdminClient", LosingRequests)
    plant.init()
    worker = _worker(plant, purge=True)
    plant.feed([(b"%d" % n, b"v") for n in range(30)])
    deadline = time.monotonic() + PATIENCE
    while worker.counts.messages < 30 or kept(plant):
        assert time.monotonic() < deadline
        worker.step(0.05)
    assert LosingRequests.lost == LOST
