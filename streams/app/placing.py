"""Which processors run in which process of one `run`.

One instance of a processor does in one transaction what several would do in several, and each transaction costs the brokers
some milliseconds. So a processor is shared out over processes only when there are more of these than processors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

COST: Mapping[str, float] = {"intake": 14.0, "records": 13.0, "identity": 40.0, "customers": 28.0, "notify": 5.0}
"""Percent of a first load's CPU, as `docs/benchmarks.md` measures it. An even spread needs no more than this."""


def cores() -> int:
    """How many cores this process may use. A container's CPU quota is not seen: set `processes` there."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def place(processors: Sequence[str], processes: int) -> list[list[str]]:
    """The processors of each process, all of them at least once, in the order given; no process is without one.

    Every process gets about the same cost. Of a processor that costs more than one process should bear, there are several
    instances, never two in one process.
    """
    whole = sum(COST[name] for name in processors)
    instances = {name: _instances(COST[name] / whole, processes, len(processors)) for name in processors}
    while sum(instances.values()) < processes:
        heaviest = max(processors, key=lambda name: COST[name] / instances[name])
        instances[heaviest] += 1
    places: list[set[str]] = [set() for _ in range(processes)]
    loads = [0.0] * processes
    for name in sorted(processors, key=lambda name: -COST[name] / instances[name]):
        for _ in range(instances[name]):
            lightest = min((n for n in range(processes) if name not in places[n]), key=lambda n: (loads[n], n))
            places[lightest].add(name)
            loads[lightest] += COST[name] / instances[name]
    return [[name for name in processors if name in placed] for placed in places]


def _instances(share: float, processes: int, processors: int) -> int:
    """How many instances a processor has at first."""
    return 1 if processes <= processors else min(processes, max(1, int(share * processes)))
