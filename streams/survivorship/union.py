"""One list out of many: `union` keeps all elements, each once; the other strategies keep one record's list."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

from schemas.canonical import Part
from schemas.view import Sourced
from streams.survivorship.candidates import Candidate, alone, is_verified, sourced
from streams.survivorship.choice import best
from streams.survivorship.rules import ListRule
from streams.survivorship.strategies import STRATEGIES, Strategy, latest_date, verified

Elements: TypeAlias = list[Candidate[Part]]
Key: TypeAlias = tuple[str, ...]
Placed: TypeAlias = tuple[bool, int, Key, Candidate[Part], Elements]
Joined: TypeAlias = tuple[tuple[Sourced[Part], ...], int]
"""The elements shown, and how many there are."""


class Union:
    """Elements that agree in the key fields are one: taken whole from one record, never mixed; all its records are named
    (of a consent, those with the same answer).

    Among them verified beats unverified, then the latest own date, then the rule's tie-breakers. The list's order is
    verified first, then by source, then by key: it does not move when a record merely repeats itself.
    """

    __slots__ = ("_answers", "_fields", "_flagged", "_limit", "_only", "_strategies")

    def __init__(self, rule: ListRule, element: type[Part]) -> None:
        """`rule` has a key; `element` is the type of the list's elements."""
        self._limit = rule.limit
        key = rule.key
        self._only: Any = attrgetter(*key) if len(key) == 1 else None
        self._fields: Any = attrgetter(*key, key[0])  # two or more, so that it gives a tuple
        self._flagged = "verified" in element.__struct_fields__
        self._answers = "granted" in element.__struct_fields__
        self._strategies: list[Strategy] = [verified] if self._flagged else []
        if rule.date:
            self._strategies.append(latest_date(rule.date))
        self._strategies += [STRATEGIES[name] for name in (("source_priority",) if rule.then is None else rule.then)]

    def join(self, candidates: Elements) -> Joined:
        """The best elements, best first."""
        if len(candidates) == 1:
            return (alone(candidates[0], "union"),), 1
        groups: dict[Key, Elements] = {}
        key_of = self._key
        for candidate in candidates:
            key = key_of(candidate.value)
            if key in groups:
                groups[key].append(candidate)
            else:
                groups[key] = [candidate]
        placed = [self._placed(key, group) for key, group in groups.items()]
        if len(placed) > 1:
            placed.sort()  # no two have one key, so nothing after it is compared
        return tuple([sourced(chosen, group, "union") for _, _, _, chosen, group in placed[: self._limit]]), len(placed)

    def _placed(self, key: Key, group: Elements) -> Placed:
        """The group's best, behind the group's place: verified first, then the best source, then the key."""
        chosen = group[0]
        rank = chosen.rank
        if len(group) > 1:
            chosen = best(group, self._strategies)
            rank = min([candidate.rank for candidate in group])
            if self._answers:
                group = _same_answer(chosen, group)
        # The first strategy chooses a verified one, if there is one.
        return (not is_verified(chosen.value) if self._flagged else True, rank, key, chosen, group)

    def _key(self, element: Part) -> Key:
        """The key fields, folded; the raw text where they are all empty, else the whole element."""
        if self._only is not None:
            if value := self._only(element):
                value = _fold(value)
                return (value, value)
        else:
            values: Key = self._fields(element)
            if any(values):
                return tuple([_fold(value) if value else value for value in values])
        raw = getattr(element, "raw", "")
        return ("", _fold(raw)) if raw else ("", "", repr(element))


def _same_answer(chosen: Candidate[Part], group: Elements) -> Elements:
    """Those that agree with the chosen one: of one consent, a record that grants it does not state its withdrawal."""
    granted = _granted(chosen.value)
    return [candidate for candidate in group if _granted(candidate.value) == granted]


class OneRecord:
    """The list of one record, as it is."""

    __slots__ = ("_limit", "_name", "_strategies")

    def __init__(self, rule: ListRule) -> None:
        self._limit = rule.limit
        self._name = rule.strategy
        self._strategies = [STRATEGIES[name] for name in (rule.strategy, *(rule.then or ()))]

    def join(self, candidates: Elements) -> Joined:
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
        return tuple([alone(element, self._name) for element in chosen[: self._limit]]), len(chosen)


_granted: Any = attrgetter("granted")


def _fold(text: str) -> str:
    return _fold_short(text) if len(text) <= SHORT else " ".join(text.split()).casefold()


@lru_cache(maxsize=8192)
def _fold_short(text: str) -> str:
    """Cached: members of one customer state the same texts."""
    return " ".join(text.split()).casefold()


SHORT = 256
"""Characters: longer texts are rare, and a cache of them would be large."""
