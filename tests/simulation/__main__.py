"""`python -m tests.simulation counting|unified SEED [END]`: one seed with its whole trace, or a range with its counts."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.simulation.runs import SCENARIOS, Scenario, SimulationError, run

USAGE = f"usage: python -m tests.simulation {'|'.join(SCENARIOS)} SEED [END]"


def main(arguments: list[str]) -> int:
    name, *numbers = arguments or [""]
    if name not in SCENARIOS or len(numbers) not in {1, 2} or not all(number.isdecimal() for number in numbers):
        print(USAGE, file=sys.stderr)
        return 2
    seeds = [int(number) for number in numbers]
    return _one(SCENARIOS[name], seeds[0]) if len(seeds) == 1 else _many(SCENARIOS[name], range(*seeds))


def _one(scenario: Scenario, seed: int) -> int:
    try:
        world = run(scenario, seed)
    except SimulationError as error:
        print(error)
        return 1
    print("\n".join(world.trace))
    return 0


def _many(scenario: Scenario, seeds: range) -> int:
    """Goes on after a failure: a long run tells of all of them."""
    started, failed = time.process_time(), []
    total: Counter[str] = Counter()
    for seed in seeds:
        try:
            total += run(scenario, seed).counts
        except SimulationError as error:
            failed.append(seed)
            print(error)
    for what, count in sorted(total.items()):
        print(f"{count:>8} {what}")
    print(f"{len(seeds)} seeds in {time.process_time() - started:.0f} s of CPU; failed: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
