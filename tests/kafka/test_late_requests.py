"""Requests of a transaction that arrive when the next one has begun, on a real broker behind a proxy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_transactions import KafkaTransactions
from streams.engine.log import AbortedError, UnknownError
from streams.engine.outbox import Outgoing
from tests.chaos.proxy import Api, Proxy, Strike, Way
from tests.conftest import cannot_run
from tests.kafka.plant import PATIENCE, Plant
from tests.parts import MissingPartError, SecondListener, launch_kafka
from tests.parts.ports import free_port

pytestmark = pytest.mark.kafka

LATE = 4.0


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def brokers(proxy: Proxy) -> Iterator[str]:
    """Bootstrap servers that lead through the proxy."""
    second = SecondListener(free_port(), free_port())
    proxy.lead(second.advertised, second.port)
    try:
        part = launch_kafka(second=second)
    except MissingPartError as error:
        cannot_run(str(error))
    yield f"127.0.0.1:{second.advertised}"
    part.close()


@pytest.fixture
def plant(brokers: str, unique: str, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(brokers, unique, tmp_path)
    plant.init()
    yield plant
    plant.close()


@pytest.fixture
def session(plant: Plant) -> Iterator[KafkaSession]:
    session = KafkaSession(plant.connection("a"), "counter", ["in"])
    yield session
    session.close()


def begin(session: KafkaSession, plant: Plant, offset: int) -> KafkaTransactions:
    """A transaction with this position, and one message that says so."""
    transactions = session._transactions
    transactions.begin()
    positions = [TopicPartition(plant.names.physical("in"), 0, offset)]
    transactions.send_offsets(positions, session._consumer.consumer_group_metadata())
    transactions.produce([Outgoing("out", b"key", b"%d" % offset)])
    return transactions


def arrived(proxy: Proxy) -> None:
    """Waits until what is late has been sent on, and a moment for the broker to take it."""
    deadline = time.monotonic() + PATIENCE
    while not proxy.quiet:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_late_commit_does_not_commit_the_next_transaction(proxy: Proxy, plant: Plant, session: KafkaSession) -> None:
    transactions = begin(session, plant, 1)
    proxy.arm([Strike(Api.EndTxn, Way.REQUEST_LATE_AND_CUT, LATE)])
    transactions.commit()
    begin(session, plant, 2)._flush(transactions._current())
    assert not proxy.quiet, "it arrived too early to show anything"
    arrived(proxy)
    begun = time.monotonic()
    while time.monotonic() - begun < 1:
        assert plant.read("out") == [(b"key", b"1")]
    transactions.abort()
    assert plant.consumed() == 1


def test_late_offsets_do_not_replace_those_of_the_next_transaction(
    proxy: Proxy, plant: Plant, session: KafkaSession
) -> None:
    proxy.arm([Strike(Api.TxnOffsetCommit, Way.REQUEST_LATE_AND_CUT, LATE)])
    begin(session, plant, 1).commit()
    transactions = begin(session, plant, 2)
    transactions._flush(transactions._current())
    assert not proxy.quiet, "it arrived too early to show anything"
    arrived(proxy)
    transactions.commit()
    assert plant.consumed() == 2


def test_a_producer_whose_requests_are_all_answered_is_kept(plant: Plant, session: KafkaSession) -> None:
    producers = set()
    for offset in range(1, 5):
        transactions = begin(session, plant, offset)
        producers.add(transactions._current())
        transactions.commit() if offset % 2 else transactions.abort()
    assert len(producers) == 1


@pytest.mark.parametrize("api", [Api.AddOffsetsToTxn, Api.TxnOffsetCommit])
def test_offsets_that_are_not_taken_in_time_are_given_up_and_do_no_harm_later(
    proxy: Proxy, plant: Plant, session: KafkaSession, api: Api
) -> None:
    proxy.arm([Strike(api, Way.REQUEST_LATE, 6)])
    with pytest.raises((AbortedError, UnknownError), match=r"not taken in time|stuck sending offsets"):
        begin(session, plant, 5)
    session._transactions.abort()
    transactions = begin(session, plant, 2)
    assert not proxy.quiet, "the next transaction waited for the request that is late"
    arrived(proxy)
    transactions.commit()
    assert plant.consumed() == 2
    assert plant.read("out") == [(b"key", b"2")]
