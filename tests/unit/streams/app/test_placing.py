from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.app.placing import COST, cores, place
from streams.app.wiring import PROCESSORS


def test_two_processes_share_the_cost_about_evenly() -> None:
    one, other = (sum(COST[name] for name in placed) for placed in place(PROCESSORS, 2))
    assert abs(one - other) <= 10


def test_one_process_runs_all() -> None:
    assert place(PROCESSORS, 1) == [list(PROCESSORS)]


def test_with_more_processes_than_processors_the_costly_ones_have_several_instances() -> None:
    counts = Counter(name for placed in place(PROCESSORS, 16) for name in placed)
    assert counts["identity"] > counts["customers"] > counts["records"] >= counts["notify"] == 1


@given(st.sets(st.sampled_from(PROCESSORS), min_size=1), st.integers(1, 40))
def test_every_processor_has_a_place_and_every_process_something_to_do(chosen: set[str], processes: int) -> None:
    processors = [name for name in PROCESSORS if name in chosen]
    placed = place(processors, processes)
    assert len(placed) == processes
    assert all(placed)
    assert all(len(set(names)) == len(names) for names in placed)
    assert {name for names in placed for name in names} == chosen
    if processes <= len(processors):
        assert sum(map(len, placed)) == len(processors)


def test_every_processor_has_a_cost() -> None:
    assert COST.keys() == set(PROCESSORS)


def test_there_is_at_least_one_core_also_where_the_system_does_not_tell_which(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert cores() >= 1
