from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import TopicNames
from streams.engine.log import FencedError


class FencedInItsFlush:
    """Stands for the client, which may raise its own error while it tells a delivery report."""

    def flush(self, seconds: float) -> int:
        try:
            raise KafkaException(KafkaError(KafkaError._FENCED, "fenced", fatal=True))
        except KafkaException as error:
            raise SystemError("the report returned a result with an exception set") from error

    def init_transactions(self, seconds: float) -> None: ...

    def begin_transaction(self) -> None: ...

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
