from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.logs.kafka import Connection, KafkaSession
from connectors.logs.kafka_transactions import KafkaTransactions
from schemas.topics import TopicNames
from streams.engine.log import AbortedError, FencedError, Inbox, UnavailableError


class Told:
    """What a client says when a group has given its name to somebody else."""

    def topic(self) -> None: ...

    def error(self) -> KafkaError:
        return KafkaError(KafkaError._FATAL, "fenced instance id", fatal=True)


class Silent:
    """Stands for a client whose brokers are there, but do not answer."""

    def subscribe(self, topics: list[str], on_assign: Callable[[Any, list[TopicPartition]], None], **_: object) -> None:
        on_assign(self, [TopicPartition("in", 0)])

    def incremental_assign(self, partitions: Iterable[TopicPartition]) -> None: ...

    def committed(self, partitions: list[TopicPartition], seconds: float) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def consume(self, limit: int, timeout: float) -> list[Told]:
        return [Told()]

    def close(self) -> None: ...


class Listener:
    def assigned(self, partitions: Iterable[Inbox]) -> None: ...

    def revoked(self, partitions: Iterable[Inbox]) -> None: ...


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> KafkaSession:
    monkeypatch.setattr(Connection, "member", lambda *_: Silent())
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
