"""Which signals stop a process in order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from streams.app.forked import Forked
from streams.app.stopping import STOPPING, when_asked_to_stop
from streams.app.supervise import Supervisor

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """As they are, but for what nohup ignored of the tests' own process."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_each_of_them_is_handled(number: signal.Signals) -> None:
    told: list[int] = []
    when_asked_to_stop(lambda number, frame: told.append(number))
    os.kill(os.getpid(), number)
    deadline = time.monotonic() + PATIENCE
    while not told and time.monotonic() < deadline:
        pass
    assert told == [number]


def test_a_terminal_that_is_closed_stops_no_process_that_was_started_with_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    when_asked_to_stop(lambda number, frame: None)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_parent_whose_terminal_is_closed_ends_its_children_in_order() -> None:
    def work() -> int:
        """A parent with one child that ends in order, as `singleview run` is."""

        def child() -> int:
            told: list[int] = []
            when_asked_to_stop(lambda number, frame: told.append(number))
            while not told:
                signal.pause()
            return 0

        children: list[Forked] = []

        def spawn(index: int) -> Forked:
            children.append(Forked(child, "a child"))
            if len(children) == 1:
                os.kill(os.getpid(), signal.SIGHUP)
            return children[-1]

        Supervisor(spawn, ["a"]).run()
        return 0 if [one.poll() in {0, -signal.SIGTERM} for one in children] == [True] else 1

    parent = Forked(work, "a parent")
    assert parent.wait(PATIENCE) == 0
