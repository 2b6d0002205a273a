"""Skewed draws."""

from __future__ import annotations

from itertools import accumulate
from random import Random


def skewed(rng: Random, values: tuple[str, ...], power: float) -> str:
    """One of `values`; for a power above 1 the first far more often than the last."""
    return values[int(len(values) * rng.random() ** power)]


class Choice:
    """Draws a key of a table of shares."""

    def __init__(self, shares: dict[str, float]) -> None:
        total = sum(shares.values())
        self._keys = tuple(shares)
        self._bounds = tuple(bound / total for bound in accumulate(shares.values()))

    def __call__(self, rng: Random) -> str:
        chance = rng.random()
        for key, bound in zip(self._keys, self._bounds, strict=True):
            if chance < bound:
                return key
        return self._keys[-1]
