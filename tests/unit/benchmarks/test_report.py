from __future__ import annotations

from benchmarks.contender import ALL, OURS
from benchmarks.engine import Run, in_turns
from benchmarks.report import standings


def run(contender: str, seconds: float, wrong: str = "") -> Run:
    return Run(
        contender=contender,
        events=1_000,
        seconds=seconds,
        cpu_seconds=seconds / 2,
        broker_cpu_seconds=None,
        peak_mb=100.0,
        wrong=wrong,
    )


def test_a_standing_is_the_median_of_the_runs_that_count() -> None:
    runs = [run(OURS, 1.0), run(OURS, 2.0), run(OURS, 4.0), run(OURS, 0.001, wrong="lost outputs")]
    ours = standings(ALL[:1], runs)[0]
    assert (ours.rate, ours.lowest, ours.highest, ours.runs) == (500.0, 250.0, 1_000.0, 3)
    assert ours.void == ["lost outputs"]
    assert ours.cpu_us == 1_000.0


def test_ratios_compare_with_our_median() -> None:
    peer = ALL[1]
    found = standings(ALL[:2], [run(OURS, 1.0), run(peer.name, 4.0)])
    assert found[1].ours_is == 4.0


def test_a_contender_whose_runs_are_all_void_has_no_figure() -> None:
    found = standings(ALL[:2], [run(OURS, 1.0), run(ALL[1].name, 1.0, wrong="died")])
    assert (found[1].rate, found[1].ours_is) == (None, None)


def test_each_round_has_every_contender_once_and_begins_with_another() -> None:
    order = in_turns(ALL, 3)
    rounds = [order[n : n + len(ALL)] for n in range(0, len(order), len(ALL))]
    assert all({each.name for each in turn} == {each.name for each in ALL} for turn in rounds)
    assert len({turn[0] for turn in rounds}) == 3
