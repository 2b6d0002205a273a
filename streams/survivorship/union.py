"""One list out of many: `union` keeps all elements, each once; the other strategies keep one record's list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

from schemas.canonical import Part
from schemas.view import Sourced
from streams.survivorship.candidates import Candidate, is_verified, sourced
from streams.survivorship.choice import best
from streams.survivorship.rules import ListRule
from streams.survivorship.strategies import STRATEGIES, Strategy, latest_date, verified

Elements: TypeAlias = list[Candidate[Part]]
Key: TypeAlias = tuple[str, ...]
Place: TypeAlias = tuple[bool, int, Key]
Joined: TypeAlias = tuple[tuple[Sourced[Part], ...], int]
"""The elements shown, and how many there are."""


class Union:
    """Elements that agree in the key fields are one: taken whole from one record, never mixed; all its records are named.

    Among them verified beats unverified, then the latest own date, then the rule's tie-breakers. The list's order is
    verified first, then by source, then by key: it does not move when a record merely repeats itself.
    """

    __slots__ = ("_fields", "_strategies")

    def __init__(self, rule: ListRule, key: Sequence[str]) -> None:
        self._fields: Any = attrgetter(*key, key[0])  # two or more, so that it gives a tuple
        self._strategies: list[Strategy] = [verified]
        if rule.date:
            self._strategies.append(latest_date(rule.date))
        self._strategies += [STRATEGIES[name] for name in (("source_priority",) if rule.then is None else rule.then)]

    def __call__(self, candidates: Elements, limit: int) -> Joined:
        """The best elements, best first."""
        if len(candidates) == 1:
            return (sourced(candidates[0], candidates, "union"),), 1
        groups: dict[Key, Elements] = {}
        key_of = self._key
        for candidate in candidates:
            groups.setdefault(key_of(candidate.value), []).append(candidate)
        ordered = sorted(groups.items(), key=_place) if len(groups) > 1 else list(groups.items())
        shown = [
            sourced(group[0] if len(group) == 1 else best(group, self._strategies), group, "union")
            for _, group in ordered[:limit]
        ]
        return tuple(shown), len(groups)

    def _key(self, element: Part) -> Key:
        """The key fields, folded; the raw text where they are all empty, else the whole element."""
        values: Key = self._fields(element)
        if any(values):
            return tuple([_fold(value) if value else "" for value in values])
        raw = getattr(element, "raw", "")
        return ("", _fold(raw)) if raw else ("", "", repr(element))


class OneRecord:
    """The list of one record, as it is."""

    __slots__ = ("_name", "_strategies")

    def __init__(self, rule: ListRule) -> None:
        self._name = rule.strategy
        self._strategies = [STRATEGIES[name] for name in (rule.strategy, *(rule.then or ()))]

    def __call__(self, candidates: Elements, limit: int) -> Joined:
        """The first elements of the chosen record, in its order."""
        lists: dict[str, Elements] = {}
        for candidate in candidates:
            lists.setdefault(candidate.record, []).append(candidate)
        if not lists:
            return (), 0
        whole = [
            Candidate(tuple(c.value for c in elements), record, elements[0].time, elements[0].rank)
            for record, elements in lists.items()
        ]
        chosen = lists[best(whole, self._strategies).record]
        return tuple([sourced(element, [element], self._name) for element in chosen[:limit]]), len(chosen)


def _place(keyed: tuple[Key, Elements]) -> Place:
    key, group = keyed
    if len(group) == 1:
        only = group[0]
        return (not is_verified(only.value), only.rank, key)
    return (not any(is_verified(c.value) for c in group), min(c.rank for c in group), key)


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    """Cached: members of one customer state the same texts."""
    return " ".join(text.split()).casefold()
