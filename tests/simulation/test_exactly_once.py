from __future__ import annotations

import pytest

from tests.simulation.runs import SCENARIOS, run, run_all, seeds

CRASHES = {f"crash at step {step}" for step in range(1, 8)} | {"crash during restore", "crash at apply", "crash at commit"}
LOG_FAULTS = {
    "aborted at begin",
    "aborted at produce",
    "aborted at send offsets",
    "aborted at commit",
    "unknown at begin",
    "unknown at produce",
    "unknown at send offsets",
    "unknown at commit",
    "commit happened, result unknown",
    "committed, offsets of the table unknown",
    "transaction timed out",
    "transaction of a former session aborted",
    "offset fetch waited",
    "restore begins with the stable offset behind",
    "restore waited for the stable offset",
    "log away at poll",
    "log away at fetch offset",
    "log away at table end",
    "log away at restore",
    "log away at abort",
}
GROUP_FAULTS = {
    "member removed after its session time-out",
    "partitions revoked",
    "partitions lost",
    "partitions revoked during their restore",
    "offsets of a zombie refused",
    "offsets of an old generation refused",
    "second process with the same id",
    "fenced: leaves",
}
DISK_FAULTS = {
    "newest writes of the disk lost",
    "store wiped",
    "store replaced by an older copy",
    "store ahead of its topic",
    "store of another topic",
    "disk fails at apply",
    "disk fails at read",
    "compaction",
    "days pass",
}
PROCESS_FAULTS = {"slow fold", "something outside away", "end: stopped", "out of memory", "partition stopped"}
OPERATORS = {"an operator asks for everything now"}
FAULTS = OPERATORS | CRASHES | LOG_FAULTS | GROUP_FAULTS | DISK_FAULTS | PROCESS_FAULTS


OUTCOMES = {
    "counting": {"something was due", "processed after it was refused", "row in parts"},
    "unified": {"customers merged", "customers split"},
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_happens_every_message_counts_once_and_every_fault_was_among_it(name: str) -> None:
    happened = run_all(SCENARIOS[name], seeds())  # each seed's outcome is checked
    assert (FAULTS | OUTCOMES[name]) - happened.keys() == set()


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_faults_nothing_goes_wrong(name: str) -> None:
    world = run(SCENARIOS[name], 1, faults=False)
    assert world.counts.keys() & (CRASHES | DISK_FAULTS | PROCESS_FAULTS) == set()
