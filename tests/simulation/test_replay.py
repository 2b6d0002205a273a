from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation import counting
from tests.simulation.runs import SCENARIOS, Scenario, SimulationError, run
from tests.simulation.world import Pipeline, World

COMMAND = [sys.executable, "-m", "tests.simulation"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_seed_always_gives_the_same_events_in_every_process(name: str) -> None:
    here = run(SCENARIOS[name], 3).trace
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    there = subprocess.run([*COMMAND, name, "3"], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.splitlines() == here


def test_another_seed_gives_other_events() -> None:
    assert run(SCENARIOS["counting"], 3).trace != run(SCENARIOS["counting"], 4).trace


def test_a_failed_seed_says_how_to_see_it_again_and_what_led_to_it() -> None:
    def check(world: World, given: Pipeline) -> None:
        raise AssertionError("not what was expected")

    with pytest.raises(SimulationError) as failed:
        run(Scenario("counting", 24, counting.pipeline, check), 5)
    lines = str(failed.value).splitlines()
    assert lines[0] == "seed 5 of counting: AssertionError: not what was expected"
    assert lines[1] == "replay: python -m tests.simulation counting 5"
    assert "batch committed" in lines[-1]


def test_wrong_use_of_the_replay_command_is_answered_with_its_usage() -> None:
    done = subprocess.run([*COMMAND, "counting", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
