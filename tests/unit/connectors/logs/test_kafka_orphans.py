"""Which partitions a member was given, in the consumer protocol's own words; and when to look who has which."""

from __future__ import annotations

import struct
import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_orphans import LOOK_SECONDS, Orphans, assigned
from schemas.topics import TopicNames


def encoded(*topics: tuple[str, list[int]], version: int = 1, user_data: bytes = b"\xff\xff\xff\xff") -> bytes:
    parts = [struct.pack(">hi", version, len(topics))]
    for topic, partitions in topics:
        name = topic.encode()
        parts.append(struct.pack(f">h{len(name)}si{len(partitions)}i", len(name), name, len(partitions), *partitions))
    return b"".join(parts) + user_data


@pytest.mark.parametrize("data", [b"", encoded(), encoded(("in", []))])
def test_a_member_may_have_nothing(data: bytes) -> None:
    assert list(assigned(data)) == []


def test_partitions_are_those_of_each_topic() -> None:
    data = encoded(("a.in", [0, 3]), ("b", [70_000]), version=3)
    assert list(assigned(data)) == [("a.in", 0), ("a.in", 3), ("b", 70_000)]


class Looked(Orphans):
    """Counts looks, at a clock that is set by hand."""

    def __init__(self, refused: int | None = None) -> None:
        """`refused`: an error's code, if the brokers refuse to tell."""
        super().__init__(Connection({}, TopicNames(""), "a"), "group", ["in"], clock=lambda: self._now)
        self._now = 0.0
        self._looks = 0
        self._refused = refused

    def _orphans(self) -> list[str]:
        self._looks += 1
        if self._refused is not None:
            raise KafkaException(KafkaError(self._refused))
        return []

    def looks_at(self, now: float) -> int:
        """How often it has looked, once it was asked to at this time."""
        self._now = now
        self.look()
        return self._looks


@pytest.fixture
def _threads_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Thread", Immediately)


@pytest.mark.usefixtures("_threads_end_at_once")
def test_it_looks_once_some_time_after_the_last_rebalance() -> None:
    orphans = Looked()
    assert orphans.looks_at(200) == 0
    orphans.rebalanced()
    assert orphans.looks_at(200 + LOOK_SECONDS / 2) == 0
    orphans.rebalanced()
    assert orphans.looks_at(200 + LOOK_SECONDS) == 0
    assert orphans.looks_at(200 + 2 * LOOK_SECONDS) == 1
    assert orphans.looks_at(300) == 1


@pytest.mark.usefixtures("_threads_end_at_once")
@pytest.mark.parametrize(("refused", "looks"), [(KafkaError._TIMED_OUT, 2), (KafkaError.GROUP_AUTHORIZATION_FAILED, 1)])
def test_it_looks_again_if_the_brokers_were_away_but_not_if_they_may_not_tell(refused: int, looks: int) -> None:
    orphans = Looked(refused)
    orphans.rebalanced()
    assert orphans.looks_at(100) == 1
    assert orphans.looks_at(200) == looks


class Immediately:
    """A thread that is through before anybody looks."""

    def __init__(self, target: object, **_: object) -> None:
        self._target = target

    def start(self) -> None:
        assert callable(self._target)
        self._target()

    def is_alive(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("connection", "may"),
    [
        (Connection({}, TopicNames(""), "a"), True),
        (Connection({}, TopicNames(""), "a", static=False), False),
        (Connection({}, TopicNames(""), "a", protocol="consumer"), False),
    ],
)
def test_only_static_members_of_the_classic_protocol_leave_orphans(connection: Connection, may: bool) -> None:
    assert connection.may_orphan == may
