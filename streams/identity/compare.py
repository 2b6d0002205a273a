"""Comparing two records: attribute by attribute into levels, levels into weights, weights into one score.

The score is a log-likelihood ratio of "one customer" against "two customers", in centibits. Evidence comes in groups, and
the groups are what keeps families apart:

    person        given name, birth date, gender, suffix, identifications: what tells the members of a household apart
    household     family name, address, e-mail, telephone: what they share, so all of it together counts once
    organization  its name; registration numbers

A name alone, or a household alone, never reaches a match: a second group must agree.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from streams.identity.features import Features
from streams.identity.levels import APART, CAPPED, CLOSE, CONFLICTING, DIFFERENT, MISSING, SAME, Judged
from streams.identity.levels.birth import judge_birth
from streams.identity.levels.contacts import judge_domains, judge_emails, judge_phones
from streams.identity.levels.names import judge_names
from streams.identity.levels.numbers import judge_gender, judge_numbers
from streams.identity.levels.organizations import judge_organizations
from streams.identity.levels.places import judge_places
from streams.identity.model import Comparison, Conflict, Level
from streams.identity.thresholds import size_class, thresholds
from streams.identity.veto import cluster_veto
from streams.identity.weights import GROWTH, WEIGHTS

__all__ = ["cluster_veto", "compare", "score", "size_class", "thresholds"]

Values: TypeAlias = tuple[Judged, Judged, Judged, Judged]
"""Identification, e-mail, telephone, address."""
Rules: TypeAlias = list[tuple[str, Judged]]
"""Rules over several attributes that applied: a name and what it takes away."""

_VALUES = ("identification", "email", "phone", "address")
_PEOPLE = (*_VALUES, "birth date", "gender", "given name", "middle name", "family name", "suffix")
_ORGANIZATIONS = (*_VALUES, "organization", "mail domain")
_KINDS = (*_VALUES, "kind")

# Read once: an attribute of a struct costs as much as an addition, and this runs for every candidate pair.
_HOUSEHOLD_CAP, _HOUSEHOLD_SHARED = WEIGHTS.household_cap, WEIGHTS.household_shared
_SECOND_GROUP, _WITHIN_GIVEN = WEIGHTS.second_group, WEIGHTS.within_same_given
_BELOW_MATCH = GROWTH.lowest_match - 1
_WITHIN_EMAIL = {
    SAME: WEIGHTS.within_email_same,
    CLOSE: WEIGHTS.within_email_same,
    DIFFERENT: WEIGHTS.within_email_different,
}
_WITHIN_PHONE = {
    SAME: WEIGHTS.within_phone_same,
    CLOSE: WEIGHTS.within_phone_same,
    DIFFERENT: WEIGHTS.within_phone_different,
}


def score(a: Features, b: Features, generic: Collection[bytes] = ()) -> int:
    """What comparing two records comes to, in centibits. Symmetric; `generic` holds the match keys that are generic now."""
    _, judged, rules = _judge(a, b, generic)
    return _sum(judged, rules)


def compare(a: Features, b: Features, generic: Collection[bytes] = ()) -> Comparison:
    """The same, explained: the weights of the levels add up to the score."""
    attributes, judged, rules = _judge(a, b, generic)
    named = tuple(zip(attributes, judged, strict=True))
    conflicts = tuple(
        Conflict(attribute, vetoes_alone=attribute == "suffix") for attribute, (level, _) in named if level is CONFLICTING
    )
    levels = tuple(Level(attribute, level, weight) for attribute, (level, weight) in (*named, *rules))
    return Comparison(_sum(judged, rules), conflicts, levels)


def _judge(a: Features, b: Features, generic: Collection[bytes]) -> tuple[tuple[str, ...], tuple[Judged, ...], Rules]:
    """The attributes that count between two records, how each compares, and the rules that apply."""
    values = (
        judge_numbers(a.numbers, b.numbers, generic) if a.numbers and b.numbers else MISSING,
        judge_emails(a.emails, b.emails, generic) if a.emails and b.emails else MISSING,
        judge_phones(a.phones, b.phones, generic) if a.phones and b.phones else MISSING,
        judge_places(a.places, b.places, generic) if a.places and b.places else MISSING,
    )
    rules: Rules = []
    if a.kind != b.kind and a.kind and b.kind:
        _cap_household(_agreeing(values), rules)
        return _KINDS, (*values, (CONFLICTING, WEIGHTS.kind_conflicting)), rules
    if a.organizations or b.organizations:
        return _ORGANIZATIONS, _judge_organizations(a, b, values, generic, rules), rules
    return _PEOPLE, _judge_people(a, b, values, rules), rules


def _sum(judged: tuple[Judged, ...], rules: Rules) -> int:
    total = 0
    for _, weight in judged:
        total += weight
    for _, (_, weight) in rules:
        total += weight
    return total


def _judge_people(a: Features, b: Features, values: Values, rules: Rules) -> tuple[Judged, ...]:
    """The names and birth dates of two persons, and the rules that keep the members of a household apart."""
    (_, number), (email, _), (phone, _), _ = values
    birth = judge_birth(a.birth, b.birth) if a.birth and b.birth else MISSING
    names = judge_names(a.names, b.names)
    gender = judge_gender(a.gender, b.gender) if a.gender and b.gender else MISSING
    judged = (*values, birth, gender, *names)
    given, middle, family, _ = names
    contact = _agreeing(values)
    household = contact + family[1] if family[1] > 0 else contact
    if household > _HOUSEHOLD_CAP:
        _cap_household(household, rules)
    if household >= _HOUSEHOLD_SHARED and number <= 0:
        _tell_members_apart(given, birth, rules)
    if contact < _SECOND_GROUP and birth[1] < _SECOND_GROUP and number < _SECOND_GROUP:
        _cap("name alone", judged, rules)
    else:
        # The evidence for one person against two members of one household.
        within = (given[1] if given[1] < _WITHIN_GIVEN else _WITHIN_GIVEN) + middle[1] + birth[1] + number
        if within + _WITHIN_EMAIL.get(email, 0) + _WITHIN_PHONE.get(phone, 0) < 0:
            _cap("household alone", judged, rules)
    return judged


def _tell_members_apart(given: Judged, birth: Judged, rules: Rules) -> None:
    if given[0] is CONFLICTING:
        rules.append(("household member", (APART, WEIGHTS.household_other_given)))
    elif given[0] is DIFFERENT:
        rules.append(("household member", (APART, WEIGHTS.household_unlike_given)))
    if birth[0] is CONFLICTING:
        rules.append(("household member", (APART, WEIGHTS.household_other_birth)))


def _judge_organizations(
    a: Features, b: Features, values: Values, generic: Collection[bytes], rules: Rules
) -> tuple[Judged, ...]:
    """The names and mail domains of two organizations."""
    number, email, _, _ = values
    name = judge_organizations(_organization_names(a), _organization_names(b))
    domain = judge_domains(a.domains, b.domains, generic) if email[1] <= 0 else MISSING
    judged = (*values, name, domain)
    contact = _agreeing(values) + domain[1]
    _cap_household(contact, rules)
    if number[1] <= 0 and (name[1] < 0 or contact < _SECOND_GROUP):
        _cap("name alone" if name[1] > 0 else "contact alone", judged, rules)
    return judged


def _organization_names(features: Features) -> tuple[str, ...]:
    """Its names; of a record of unknown kind that looks like a person, the whole line: who knows (Bright Harbour)."""
    return features.organizations or tuple(
        [" ".join(filter(None, (name.given, name.middle, name.family))) for name in features.names]
    )


def _agreeing(values: Values) -> int:
    """What the contact values that agree are worth."""
    _, (_, email), (_, phone), (_, place) = values
    return (email if email > 0 else 0) + (phone if phone > 0 else 0) + (place if place > 0 else 0)


def _cap_household(household: int, rules: Rules) -> None:
    if household > _HOUSEHOLD_CAP:
        rules.append(("one household", (CAPPED, _HOUSEHOLD_CAP - household)))


def _cap(rule: str, judged: tuple[Judged, ...], rules: Rules) -> None:
    """Keep the sum below every match threshold."""
    excess = _sum(judged, rules) - _BELOW_MATCH
    if excess > 0:
        rules.append((rule, (CAPPED, -excess)))
