"""One list out of many: `union` keeps all elements, each once; the other strategies keep one record's list."""

from __future__ import annotations

from collections.abc import Sequence
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

    def __call__(self, candidates: Elements) -> list[Sourced[Part]]:
        """Every element, best first."""
        groups: dict[Key, Elements] = {}
        for candidate in candidates:
            groups.setdefault(self._key(candidate.value), []).append(candidate)
        places = {key: _place(key, group) for key, group in groups.items()}
        return [
            sourced(best(groups[key], self._strategies), groups[key], "union")
            for key in sorted(groups, key=places.__getitem__)
        ]

    def _key(self, element: Part) -> Key:
        """The key fields, folded; the raw text where they are all empty, else the whole element."""
        values: Key = self._fields(element)
        if any(values):
            return tuple(map(_fold, values))
        raw = getattr(element, "raw", "")
        return ("", _fold(raw)) if raw else ("", "", repr(element))


class OneRecord:
    """The list of one record, as it is."""

    __slots__ = ("_name", "_strategies")

    def __init__(self, rule: ListRule) -> None:
        self._name = rule.strategy
        self._strategies = [STRATEGIES[name] for name in (rule.strategy, *(rule.then or ()))]

    def __call__(self, candidates: Elements) -> list[Sourced[Part]]:
        """The elements of the chosen record, in its order."""
        lists: dict[str, Elements] = {}
        for candidate in candidates:
            lists.setdefault(candidate.record, []).append(candidate)
        if not lists:
            return []
        whole = [
            Candidate(tuple(c.value for c in elements), record, elements[0].time, elements[0].rank)
            for record, elements in lists.items()
        ]
        chosen = lists[best(whole, self._strategies).record]
        return [sourced(element, [element], self._name) for element in chosen]


def _place(key: Key, group: Elements) -> Place:
    if len(group) == 1:
        only = group[0]
        return (not is_verified(only.value), only.rank, key)
    return (not any(is_verified(c.value) for c in group), min(c.rank for c in group), key)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
