"""What goes wrong, how often. Each seed has its own weather: some faults rare, some frequent, some absent."""

from __future__ import annotations

from random import Random

RATES = {
    "crash": 0.0015,  # a process, per call
    "crash at a step": 0.008,  # per numbered step of the commit protocol
    "freeze": 0.006,  # a process, per call; half of the times past the session time-out
    "aborted": 0.012,  # the log aborts, per call
    "unknown": 0.012,  # the log does not answer, per call
    "away": 0.004,  # the log does not answer, and nothing was done; per call
    "away during a restore": 0.04,  # per slice of a table
    "disk fails": 0.004,  # per read of a row and per write
    "ends unknown": 0.005,  # committed, but nobody said where the table records went; per commit
    "outside away": 0.004,  # TransientError of a processor, per message
    "out of memory": 0.003,  # of a processor, per message
    "operator": 0.002,  # asks for everything now, per turn
    "slow fold": 0.01,  # the clock jumps, per look at it
    "early fetch": 0.5,  # messages are fetched before the rebalance of the same poll is served
    "double": 0.001,  # a second process with an instance's id, per turn
    "restart": 0.001,  # a process leaves in good order, per turn
    "long absence": 0.1,  # per end of a process
    "wiped store": 0.15,  # per start after an end
    "stale store": 0.3,
    "store ahead": 0.08,
    "foreign store": 0.08,
    "newest lost": 0.5,  # per crash: what was applied last was still in memory
    "backup": 0.02,  # a copy of a disk is kept, per turn
    "compaction": 0.01,  # per turn
    "days pass": 0.006,  # per turn
    "old machine": 0.3,  # an instance comes back with its oldest disk; per instance, when days have passed
}


class Weather:
    """Draws faults until it is calm."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.calm = False
        self._rates = {kind: rate * random.choice((0.0, 0.5, 1.0, 1.0, 4.0)) for kind, rate in RATES.items()}

    def strikes(self, kind: str) -> bool:
        return not self.calm and self.random.random() < self._rates[kind]
