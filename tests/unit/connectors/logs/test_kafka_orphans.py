"""Which partitions a member was given, in the consumer protocol's own words; and when to look who has which."""

from __future__ import annotations

import struct
import threading

import pytest

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
    """Counts looks."""

    looks = 0

    def _find_owners(self) -> None:
        self.looks += 1


def test_it_looks_once_some_time_after_the_last_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    orphans = Looked(Connection({}, TopicNames(""), "a"), "group", ["in"], clock=lambda: now)
    monkeypatch.setattr(threading, "Thread", Immediately)

    def looks_at(later: float) -> int:
        nonlocal now
        now = later
        orphans.look()
        return orphans.looks

    assert looks_at(200) == 0
    orphans.rebalanced()
    assert looks_at(200 + LOOK_SECONDS / 2) == 0
    orphans.rebalanced()
    assert looks_at(200 + LOOK_SECONDS) == 0
    assert looks_at(200 + 2 * LOOK_SECONDS) == 1
    assert looks_at(300) == 1


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
