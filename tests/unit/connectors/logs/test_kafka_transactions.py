from __future__ import annotations

import gc
import threading
from typing import Any
from weakref import ReferenceType, ref

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import TopicNames
from streams.engine.log import AbortedError, FencedError, UnavailableError


class FencedInItsFlush:
    """Stands for the client, which may raise its own error while it tells a delivery report."""

    def flush(self, seconds: float) -> int:
        try:
            raise KafkaException(KafkaError(KafkaError._FENCED, "fenced", fatal=True))
        except KafkaException as error:
            raise SystemError("the report returned a result with an exception set") from error

    def init_transactions(self, seconds: float) -> None: ...

    def begin_transaction(self) -> None: ...

    def poll(self, seconds: float) -> int:
        return 0

    def __len__(self) -> int:
        return 0


def test_a_fence_found_while_delivery_reports_are_told_is_a_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    def producer(*_: Any) -> FencedInItsFlush:
        return FencedInItsFlush()

    monkeypatch.setattr(Connection, "producer", producer)
    transactions = KafkaTransactions(
        Connection({}, TopicNames(""), "a"), "counter", "counter-table", max_message_bytes=1, stopping=threading.Event()
    )
    transactions.begin()
    with pytest.raises(FencedError):
        transactions.commit()


class RefusesOffsets(FencedInItsFlush):
    def send_offsets_to_transaction(self, *_: Any) -> None:
        refused = KafkaError(KafkaError.ILLEGAL_GENERATION, "no member", False, False, True)
        raise KafkaException(refused)

    def abort_transaction(self, seconds: float) -> None: ...


def test_refused_offsets_leave_nothing_of_their_batch_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Batch:
        """What a caller knows while it asks."""

    def transact() -> ReferenceType[Batch]:
        batch = Batch()
        transactions.begin()
        transactions.send_offsets([], None)
        try:
            transactions.produce([])
        except AbortedError:
            transactions.abort()
            return ref(batch)
        raise AssertionError("the offsets were taken")

    monkeypatch.setattr(Connection, "producer", lambda *_: RefusesOffsets())
    transactions = KafkaTransactions(
        Connection({}, TopicNames(""), "a"), "counter", "counter-table", max_message_bytes=1, stopping=threading.Event()
    )
    gc.disable()  # the engine relaxes it as well
    try:
        assert transact()() is None
    finally:
        gc.enable()


class AnsweredLate(FencedInItsFlush):
    """Is initialised at the third call."""

    def __init__(self) -> None:
        self.calls = 0

    def init_transactions(self, seconds: float) -> None:
        self.calls += 1
        if self.calls < 3:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer", False, True))


def test_a_producer_without_an_answer_is_asked_again_and_not_replaced_by_one_that_it_would_fence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[AnsweredLate] = []

    def producer(*_: Any) -> AnsweredLate:
        made.append(AnsweredLate())
        return made[-1]

    monkeypatch.setattr(Connection, "producer", producer)
    monkeypatch.setattr("connectors.logs.kafka_transactions.COMMIT_SECONDS", 0.0)
    transactions = KafkaTransactions(
        Connection({}, TopicNames(""), "a"), "counter", "counter-table", max_message_bytes=1, stopping=threading.Event()
    )
    for _ in range(2):
        with pytest.raises(UnavailableError):
            transactions.begin()
    transactions.begin()
    assert [one.calls for one in made] == [3]
