from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from connectors.logs.kafka import Connection, KafkaSession
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import TopicNames
from streams.engine.log import AbortedError, FencedError, Inbox, UnavailableError

FENCED = Message(error=KafkaError(KafkaError._FATAL, "fenced instance id", fatal=True))
"""What a client says when a group has given its name to somebody else."""


class Silent:
    """Stands for a client whose brokers are there, but do not answer."""

    def subscribe(self, topics: list[str], on_assign: Callable[[Any, list[TopicPartition]], None], **_: object) -> None:
        on_assign(self, [TopicPartition("in", 0)])

    def incremental_assign(self, partitions: Iterable[TopicPartition]) -> None: ...

    def committed(self, partitions: list[TopicPartition], seconds: float) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def consume(self, limit: int, timeout: float) -> list[Message]:
        return [FENCED]

    def close(self) -> None: ...


class Listener:
    def assigned(self, partitions: Iterable[Inbox]) -> None: ...

    def revoked(self, partitions: Iterable[Inbox]) -> None: ...


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> KafkaSession:
    monkeypatch.setattr(Connection, "member", lambda *_, **__: Silent())
    monkeypatch.setattr(KafkaTransactions, "abort", lambda _: None)
    session = KafkaSession(Connection({}, TopicNames(""), "a"), "counter", ["in"])
    session.listen(Listener())
    return session


def test_a_fence_after_the_brokers_were_silent_is_doubted_once(session: KafkaSession) -> None:
    session._join()
    with pytest.raises(UnavailableError):
        session.resume(Inbox("in", 0))
    with pytest.raises(AbortedError, match="joins again"):
        session.poll(1, 0)
    with pytest.raises(FencedError):
        session.poll(1, 0)


def test_a_fence_out_of_the_blue_is_one(session: KafkaSession) -> None:
    with pytest.raises(FencedError):
        session.poll(1, 0)
