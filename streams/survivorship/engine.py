"""Survivorship: members' attributes in, the view's attributes out.

A pure function of the members and the rules. Members may come in any order; times are the sources', not ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes, Part, source_of
from schemas.view import Sourced, ViewAttributes
from streams.survivorship.candidates import Candidate
from streams.survivorship.choice import Choice
from streams.survivorship.rules import ListRule, Rules, ValueRule
from streams.survivorship.union import Elements, Joined, OneRecord, Union

VALUES = ("kind", "status", "birth_date", "gender")
BEST_OF = {"name": "names", "address": "addresses"}

UNLISTED = sys.maxsize
"""The rank of sources that a rule does not list: last, all equal."""

Ranks: TypeAlias = dict[str, int]
"""Source to rank, 0 the best."""


class MemberContent(msgspec.Struct, frozen=True, gc=False):
    """What one member states."""

    record: str  # realm/source/id
    attributes: Attributes
    times: Mapping[str, int]  # per attribute, `characteristics.<key>` for those: event time of its value, ms


Stating: TypeAlias = list[tuple[str, str, Attributes, Mapping[str, int]]]
"""The members: record, its source, and what it states."""


class Survivorship:
    """Rules, compiled: make one and use it for every customer."""

    def __init__(self, rules: Rules) -> None:
        self.rules_version = rules.full_version
        self._rules = rules
        self._ranks: dict[tuple[str, ...], Ranks] = {}
        attributes = rules.attributes
        self._values = [
            (name, Choice(rule).choose, self._ranks_of(rule)) for name in VALUES for rule in [getattr(attributes, name)]
        ]
        self._best = [
            (name, source, Choice(rule).choose, self._ranks_of(rule))
            for name, source in BEST_OF.items()
            for rule in [getattr(attributes, name)]
        ]
        self._lists = [
            (name, _joined_by(name, rule), self._ranks_of(rule), rule.limit)
            for name in LIST_ATTRIBUTES
            for rule in [attributes.of_list(name)]
        ]
        self._characteristics: dict[str, tuple[Choice, Ranks]] = {}

    def reconcile(self, members: Sequence[MemberContent]) -> ViewAttributes:
        """The attributes of a customer with these members."""
        return ViewAttributes(**self.refresh({}, members, ATTRIBUTES))

    def refresh(
        self, totals: Mapping[str, int], members: Sequence[MemberContent], changed: Collection[str]
    ) -> dict[str, Any]:
        """The view's attributes that may be others, by name, if it was made by these rules and members differ since only in
        `changed`. `totals` are its own; the new ones are always among what is found: of each list longer than its limit."""
        stating = [(member.record, source_of(member.record), member.attributes, member.times) for member in members]
        found: dict[str, Any] = {}
        totals = dict(totals)
        for name, choose, ranks in self._values:
            if name in changed:
                found[name] = choose(_values(stating, name, ranks))
        seen: dict[str, tuple[Ranks, Elements]] = {}
        for name, source, choose, ranks in self._best:
            if source in changed:
                elements = _elements(stating, source, ranks)
                seen[source] = ranks, elements
                found[name] = choose(elements)
        for name, join, ranks, limit in self._lists:
            if name in changed:
                ranked, elements = seen.get(name, UNSEEN)
                if ranked is not ranks:
                    elements = _elements(stating, name, ranks)
                found[name], total = join(elements) if elements else NOTHING
                totals.pop(name, None)
                if total > limit:
                    totals[name] = total
        if "characteristics" in changed:
            totals.pop("characteristics", None)
            found["characteristics"] = self._reconcile_characteristics(stating)
        found["totals"] = totals
        return found

    def _reconcile_characteristics(self, members: Stating) -> dict[str, Sourced[str]]:
        stating = [(member, stated) for member in members if (stated := member[2].characteristics)]
        keys = {key for _, stated in stating for key, value in stated.items() if value}
        found: dict[str, Sourced[str]] = {}
        for key in sorted(keys):
            choice, ranks = self._characteristic(key)
            name = f"characteristics.{key}"
            candidates = [
                Candidate(value, record, times.get(name, 0), ranks.get(source, UNLISTED))
                for (record, source, _, times), stated in stating
                if (value := stated.get(key))
            ]
            if chosen := choice.choose(candidates):
                found[key] = chosen
        return found

    def _characteristic(self, key: str) -> tuple[Choice, Ranks]:
        declared = key if key in self._rules.characteristics else "*"
        if declared not in self._characteristics:
            rule = self._rules.characteristic(declared)
            self._characteristics[declared] = (Choice(rule), self._ranks_of(rule))
        return self._characteristics[declared]

    def _ranks_of(self, rule: ValueRule | ListRule) -> Ranks:
        """One object for equal lists of sources, so that candidates are ranked once for all rules that rank alike."""
        sources = self._rules.sources if rule.sources is None else rule.sources
        return self._ranks.setdefault(sources, {source: rank for rank, source in enumerate(sources)})


def _joined_by(name: str, rule: ListRule) -> Callable[[Elements], Joined]:
    return Union(rule, LIST_ATTRIBUTES[name]).join if rule.strategy == "union" else OneRecord(rule).join


def _values(members: Stating, name: str, ranks: Ranks) -> list[Candidate[str]]:
    """What the members state of an attribute that is one value. A loop: mostly it goes round once or twice."""
    candidates = []
    for record, source, attributes, times in members:
        if value := getattr(attributes, name):
            candidates.append(Candidate(value, record, times.get(name, 0), ranks.get(source, UNLISTED)))
    return candidates


def _elements(members: Stating, name: str, ranks: Ranks) -> Elements:
    """What the members state of an attribute that is a list."""
    candidates: Elements = []
    empty = _EMPTY[name]
    for record, source, attributes, times in members:
        if elements := getattr(attributes, name):
            time, rank = times.get(name, 0), ranks.get(source, UNLISTED)
            for position, element in enumerate(elements):
                if element != empty:
                    candidates.append(Candidate(element, record, time, rank, position))
    return candidates


NOTHING: Joined = ((), 0)
"""A list of which no member states an element, and how many there are."""
UNSEEN: tuple[None, Elements] = (None, [])
"""What is known of a list before its elements were gathered."""
_EMPTY: dict[str, Part] = {name: element() for name, element in LIST_ATTRIBUTES.items()}
