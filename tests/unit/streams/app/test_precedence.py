from __future__ import annotations

import os
import sys
import threading

import pytest

from streams.app.precedence import NICENESS, take_precedence
from streams.app.wiring import PROCESSORS


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def _in_a_thread(processor: str) -> tuple[int, int]:
    """Niceness of a thread that took its place, and of one that it made."""
    found: list[int] = []

    def work() -> None:
        take_precedence(processor)
        found.append(_niceness())
        made = threading.Thread(target=lambda: found.append(_niceness()))
        made.start()
        made.join()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0], found[1]


def test_every_processor_has_a_place_and_none_goes_before_a_later_one() -> None:
    places = [NICENESS[processor] for processor in ("intake", "records", "identity", "customers", "notify")]
    assert set(NICENESS) == set(PROCESSORS)
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is a whole process's")
@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_thread_and_those_it_makes_take_its_processors_place_and_others_keep_theirs(processor: str) -> None:
    before = _niceness()
    taken = min(before + NICENESS[processor], 19)  # Unix knows no more
    assert _in_a_thread(processor) == (taken, taken)
    assert _niceness() == before
