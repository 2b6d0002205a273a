"""What is said of source topics, and when one is another than it was."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pytest
from confluent_kafka import KafkaError

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_sources import ABSENT, FORBIDDEN, LOOK_SECONDS, SourceTopics, Standing, why_not
from schemas.topics import TopicNames


class Brokers:
    """What the brokers say, looked at without waiting."""

    def __init__(self, sources: SourceTopics, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: dict[str, Standing] = {}
        self.asked = 0
        self._sources = sources
        monkeypatch.setattr(sources, "_ask", self._ask)

    def _ask(self, topics: Sequence[str]) -> Mapping[str, Standing]:
        self.asked += 1
        return {topic: self.said[topic] for topic in topics}

    def look(self, clock: list[float]) -> set[str]:
        """A look, and what it found."""
        clock[0] += LOOK_SECONDS
        first = self._sources.look()
        looking = self._sources._looking
        assert looking is not None
        looking.join(30)
        return first | self._sources.look()


def test_topics_are_told_when_they_change_and_only_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = [0.0]
    sources = SourceTopics(Connection({}, TopicNames(""), "a"), ["crm", "shop"], lambda: clock[0])
    brokers = Brokers(sources, monkeypatch)
    brokers.said = {"crm": Standing("one"), "shop": Standing(trouble=ABSENT)}
    assert brokers.look(clock) == brokers.look(clock) == set()
    assert (sources.id_of("crm"), sources.id_of("shop")) == ("one", "")
    assert sources.troubles == {"shop": ABSENT}
    brokers.said = {"crm": Standing("two"), "shop": Standing("three")}
    assert brokers.look(clock) == {"crm"}
    assert brokers.look(clock) == set()
    assert sources.troubles == {}
    brokers.said["crm"] = Standing("two", FORBIDDEN)
    assert brokers.look(clock) == set()
    assert [(record.levelname, record.getMessage()[:33]) for record in caplog.records] == [
        ("WARNING", "source topic shop is not read: it"),
        ("INFO", "source topic shop can be read now"),
        ("ERROR", "source topic crm is not read: it "),
    ]
    asked = brokers.asked
    sources.look()  # too early
    assert brokers.asked == asked


def test_what_a_session_learns_by_itself_is_told_to_its_other_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = SourceTopics(Connection({}, TopicNames(""), "a"), ["crm"], lambda: 0.0)
    brokers = Brokers(sources, monkeypatch)
    brokers.said = {"crm": Standing("one")}
    sources.learn(["crm"])
    brokers.said = {"crm": Standing("two")}
    sources.learn(["crm"])
    assert "crm" in sources.look()


def test_only_what_concerns_a_topic_alone_is_its_trouble() -> None:
    assert why_not(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)) == FORBIDDEN
    assert why_not(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)) == ABSENT
    assert why_not(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)) is None
