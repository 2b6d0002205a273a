"""Survivorship: members' attributes in, the view's attributes out.

A pure function of the members and the rules. Members may come in any order; times are the sources', not ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes, Part, source_of
from schemas.view import Sourced, ViewAttributes
from streams.survivorship.candidates import Candidate
from streams.survivorship.choice import Choice
from streams.survivorship.rules import ListRule, Rules, ValueRule
from streams.survivorship.union import OneRecord, Union

VALUES = ("kind", "status", "birth_date", "gender")
BEST_OF = {"name": "names", "address": "addresses"}


class MemberContent(NamedTuple):
    """What one member states."""

    record: str  # realm/source/id
    attributes: Attributes
    times: Mapping[str, int]  # per attribute, `characteristics.<key>` for those: event time of its value, ms


class Survivorship:
    """Rules, compiled: make one and use it for every customer."""

    def __init__(self, rules: Rules) -> None:
        self.rules_version = rules.full_version
        self._rules = rules
        self._ranks: dict[tuple[str, ...], _Ranks] = {}
        attributes = rules.attributes
        self._values = [
            (name, Choice(rule), self._ranks_of(rule)) for name in VALUES for rule in [getattr(attributes, name)]
        ]
        self._best = [
            (name, source, Choice(rule), self._ranks_of(rule))
            for name, source in BEST_OF.items()
            for rule in [getattr(attributes, name)]
        ]
        self._lists = [
            (name, _list_rule(name, rule), self._ranks_of(rule), rule.limit)
            for name in LIST_ATTRIBUTES
            for rule in [attributes.of_list(name)]
        ]
        self._characteristics: dict[str, tuple[Choice, _Ranks]] = {}

    def reconcile(self, members: Sequence[MemberContent]) -> ViewAttributes:
        """The attributes of a customer with these members."""
        return ViewAttributes(**self.refresh({}, members, ATTRIBUTES))

    def refresh(
        self, totals: Mapping[str, int], members: Sequence[MemberContent], changed: Collection[str]
    ) -> dict[str, Any]:
        """The view's attributes that may be others, by name, if it was made by these rules and members differ since only in
        `changed`. `totals` are its own; the new ones are always among what is found."""
        stated = _Stated(members)
        found: dict[str, Any] = {}
        totals = dict(totals)
        for name, choose, ranks in self._values:
            if name in changed:
                found[name] = choose(stated.values(name, ranks))
        for name, source, choose, ranks in self._best:
            if source in changed:
                found[name] = choose(stated.elements(source, ranks))
        for name, join, ranks, limit in self._lists:
            if name in changed:
                elements = stated.elements(name, ranks)
                found[name], total = join(elements, limit) if elements else NOTHING
                totals.pop(name, None)
                if total > limit:
                    totals[name] = total
        if "characteristics" in changed:
            found["characteristics"] = self._reconcile_characteristics(stated.members)
        found["totals"] = totals
        return found

    def _reconcile_characteristics(self, members: _Members) -> dict[str, Sourced[str]]:
        stating = [(member, source, stated) for member, source in members if (stated := member.attributes.characteristics)]
        keys = {key for _, _, stated in stating for key, value in stated.items() if value}
        found: dict[str, Sourced[str]] = {}
        for key in sorted(keys):
            choose, ranks = self._characteristic(key)
            name = f"characteristics.{key}"
            candidates = [
                Candidate(value, member.record, member.times.get(name, 0), ranks(source))
                for member, source, stated in stating
                if (value := stated.get(key))
            ]
            if chosen := choose(candidates):
                found[key] = chosen
        return found

    def _characteristic(self, key: str) -> tuple[Choice, _Ranks]:
        declared = key if key in self._rules.characteristics else "*"
        if declared not in self._characteristics:
            rule = self._rules.characteristic(declared)
            self._characteristics[declared] = (Choice(rule), self._ranks_of(rule))
        return self._characteristics[declared]

    def _ranks_of(self, rule: ValueRule | ListRule) -> _Ranks:
        """One object for equal lists of sources, so that candidates are ranked once for all rules that rank alike."""
        sources = self._rules.sources if rule.sources is None else rule.sources
        return self._ranks.setdefault(sources, _Ranks(sources))


_Members = list[tuple[MemberContent, str]]


class _Ranks(dict[str, int]):
    """Source to rank, 0 the best; sources not listed are last, all equal."""

    def __init__(self, sources: Sequence[str]) -> None:
        super().__init__({source: rank for rank, source in enumerate(sources)})

    def __call__(self, source: str) -> int:
        return self.get(source, len(self))


def _list_rule(name: str, rule: ListRule) -> Union | OneRecord:
    return Union(rule, LIST_ATTRIBUTES[name]) if rule.strategy == "union" else OneRecord(rule)


class _Stated:
    """What the members state, as candidates."""

    def __init__(self, members: Sequence[MemberContent]) -> None:
        self.members = [(member, source_of(member.record)) for member in members]
        self._elements: dict[tuple[str, int], list[Candidate[Part]]] = {}

    def values(self, name: str, ranks: _Ranks) -> list[Candidate[str]]:
        return [
            Candidate(value, member.record, member.times.get(name, 0), ranks(source))
            for member, source in self.members
            if (value := getattr(member.attributes, name))
        ]

    def elements(self, name: str, ranks: _Ranks) -> list[Candidate[Part]]:
        """Of a list attribute. Found once for rules that rank alike: the best of a list, and the list."""
        known = self._elements.get((name, id(ranks)))
        if known is not None:
            return known
        candidates = self._elements[name, id(ranks)] = []
        empty = _EMPTY[name]
        for member, source in self.members:
            elements: list[Part] | None = getattr(member.attributes, name)
            if elements:
                record, time, rank = member.record, member.times.get(name, 0), ranks(source)
                candidates += [
                    Candidate(element, record, time, rank, position)
                    for position, element in enumerate(elements)
                    if element != empty
                ]
        return candidates


NOTHING: tuple[tuple[()], int] = ((), 0)
"""A list of which no member states an element, and how many there are."""
_EMPTY: dict[str, Part] = {name: element() for name, element in LIST_ATTRIBUTES.items()}
