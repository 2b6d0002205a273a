"""What a session tells of how far behind it is."""

from __future__ import annotations

import time

import pytest

from streams.engine.log import Inbox
from tests.kafka.plant import PATIENCE, Plant

pytestmark = pytest.mark.kafka


def test_the_lag_is_what_is_left_to_poll_and_nothing_when_all_was(plant: Plant) -> None:
    plant.init()
    plant.feed([(b"%d" % n, b"v") for n in range(30)])
    worker = plant.worker(batch=7)
    session = plant.sessions[0]
    assert session.lags() == {}
    deadline = time.monotonic() + PATIENCE
    behind: list[int] = []
    while worker.counts.messages < 30:
        assert time.monotonic() < deadline
        done = worker.step(0.2)
        lags = session.lags()
        if done and len(lags) == 2:
            behind.append(sum(lags.values()) + worker.counts.messages)
    assert max(behind) == 30
    assert session.lags() == {Inbox("in", 0): 0, Inbox("in", 1): 0}
    plant.feed([(b"%d" % n, b"v") for n in range(10)])
    while worker.counts.messages < 40:
        assert time.monotonic() < deadline
        worker.step(0.2)
    assert session.lags() == {Inbox("in", 0): 0, Inbox("in", 1): 0}
