"""One value out of many: a rule made into a function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from schemas.view import Sourced
from streams.survivorship.candidates import Candidate, alone, last_resort, sourced
from streams.survivorship.rules import BestRule, ValueRule
from streams.survivorship.strategies import STRATEGIES, Strategy, preferred_use

V = TypeVar("V")


def best(candidates: Sequence[Candidate[V]], strategies: Iterable[Strategy]) -> Candidate[V]:
    """The one that remains when each strategy narrows what the one before left, and the last resort decides."""
    for narrow in strategies:
        if len(candidates) == 1:
            break
        candidates = narrow(candidates)
    return candidates[0] if len(candidates) == 1 else min(candidates, key=last_resort)


class Choice:
    """A rule that chooses one value."""

    __slots__ = ("_name", "_strategies")

    def __init__(self, rule: ValueRule) -> None:
        self._name = rule.strategy
        self._strategies = [STRATEGIES[name] for name in (rule.strategy, *rule.then)]
        if isinstance(rule, BestRule) and rule.uses:
            self._strategies.insert(0, preferred_use(rule.uses))

    def choose(self, candidates: Sequence[Candidate[V]]) -> Sourced[V] | None:
        """The chosen value; None if there is no candidate."""
        if not candidates:
            return None
        if len(candidates) == 1:
            return alone(candidates[0], self._name)
        chosen = best(candidates, self._strategies)
        return sourced(chosen, [c for c in candidates if c.value == chosen.value], self._name)
