"""Which processors go first where there are fewer cores than processors with work: those whose work is nearest its end."""

from __future__ import annotations

import os
from collections.abc import Mapping

NICENESS: Mapping[str, int] = {"intake": 5, "records": 3, "identity": 2, "customers": 0, "notify": 0}
"""Steps of Unix niceness, each a fifth less of a core that is fought for. With equal shares the early processors run ahead,
and the last then work off alone what they left: one core is busy, the other idle (decision 0016)."""


def take_precedence(processor: str) -> None:
    """Gives the calling thread, and the threads it makes, its place among the processors. Never taken back."""
    if steps := NICENESS[processor]:
        os.nice(steps)
