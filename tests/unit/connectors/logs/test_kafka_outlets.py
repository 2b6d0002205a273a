"""A subscriber's topic that refuses is set aside for a while, and its notifications are dead letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_outlets import ASIDE_SECONDS, Outlets
from schemas.topics import CUSTOMER_VIEW, DEAD_LETTERS, TopicNames
from streams.engine.dead_letters import reason_of
from streams.engine.outbox import Outgoing

MDM, OTHER = Outgoing("notify.mdm", b"k", b"v", (("h", b"x"),)), Outgoing("notify.warehouse", b"k", b"v")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def outlets(clock: Clock, monkeypatch: pytest.MonkeyPatch, **wrong: str) -> Outlets:
    def examined(self: Outlets) -> Iterator[tuple[str, str]]:
        yield from wrong.items()

    monkeypatch.setattr(Outlets, "_examine", examined)
    return Outlets(Connection({}, TopicNames("a."), "x"), "notify", clock)


def test_names_are_those_on_the_broker_and_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outlets(clock, monkeypatch)
    assert found[CUSTOMER_VIEW] == "a.customer-view"
    assert dict(found) == {CUSTOMER_VIEW: "a.customer-view"}


def test_while_nothing_is_wrong_all_goes_out_as_it_is(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    outgoing = [MDM, OTHER]
    found = outlets(clock, monkeypatch)
    assert found.examine() == ""
    assert found.diverted(outgoing) is outgoing


def test_notifications_of_a_topic_that_refuses_are_kept_whole_and_tried_again_after_a_while(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outlets(clock, monkeypatch, **{"notify.mdm": "a.notify.mdm does not exist: run `singleview init`"})
    assert found.examine() == "a.notify.mdm does not exist: run `singleview init`"
    letter, other = found.diverted([MDM, OTHER])
    assert other is OTHER
    assert (letter.topic, letter.key, letter.value, letter.headers[0]) == (DEAD_LETTERS, b"k", b"v", ("h", b"x"))
    assert reason_of(letter.headers) == "undeliverable"
    clock.now = ASIDE_SECONDS + 1
    assert found.diverted([MDM, OTHER]) == [MDM, OTHER]


def test_no_other_topic_is_set_aside(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outlets(clock, monkeypatch, **{CUSTOMER_VIEW: "a.customer-view may not be written"})
    view = Outgoing(CUSTOMER_VIEW, b"k", b"v")
    assert found.examine() == "a.customer-view may not be written"
    assert found.diverted([view]) == [view]
