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
from streams.identity.levels.names import NamesJudged, judge_names
from streams.identity.levels.numbers import judge_gender, judge_numbers
from streams.identity.levels.organizations import judge_organizations
from streams.identity.levels.places import judge_places
from streams.identity.model import Comparison, Conflict, Level
from streams.identity.thresholds import size_class, thresholds
from streams.identity.veto import cluster_veto
from streams.identity.weights import GROWTH, WEIGHTS

__all__ = ["cluster_veto", "compare", "size_class", "thresholds"]


Judgements: TypeAlias = list[tuple[str, Judged]]


def compare(a: Features, b: Features, generic: Collection[bytes] = (), explain: bool = False) -> Comparison:
    """Compare two records. Symmetric; `generic` holds the digests of the match keys that are generic now.

    The weights of the explained levels add up to the score.
    """
    judged: Judgements = [
        ("identification", judge_numbers(a.numbers, b.numbers, generic)),
        ("email", judge_emails(a.emails, b.emails, generic)),
        ("phone", judge_phones(a.phones, b.phones, generic)),
        ("address", judge_places(a.places, b.places, generic)),
    ]
    if a.kind != b.kind and a.kind and b.kind:
        judged.append(("kind", (CONFLICTING, WEIGHTS.kind_conflicting)))
    elif a.organizations or b.organizations:
        _judge_organizations(a, b, generic, judged)
    else:
        _judge_people(a, b, judged)
    score = 0
    conflicts = []
    for attribute, (level, weight) in judged:
        score += weight
        if level is CONFLICTING:
            conflicts.append(Conflict(attribute, attribute == "suffix"))
    return Comparison(score, tuple(conflicts), _levels(judged) if explain else ())


def _judge_people(a: Features, b: Features, judged: Judgements) -> None:
    """Add the names and birth dates of two persons, and the rules that keep the members of a household apart."""
    (_, number), (_, email), (_, phone), (_, place) = judged
    names = judge_names(a.names, b.names)
    birth = judge_birth(a.birth, b.birth)
    gender = judge_gender(a.gender, b.gender)
    judged += (
        ("given name", names.given),
        ("middle name", names.middle),
        ("family name", names.family),
        ("suffix", names.suffix),
        ("birth date", birth),
        ("gender", gender),
    )
    contact = _agreeing(email, phone, place)
    household = contact + max(names.family[1], 0)
    _cap_household(household, judged)
    if household >= WEIGHTS.household_shared and number[1] <= 0:
        _tell_members_apart(judged, names.given, birth)
    beyond_name = max(contact, birth[1], number[1]) >= WEIGHTS.second_group
    if not beyond_name:
        _cap("name alone", judged)
    elif _within_household(names, birth, number, email, phone) < 0:
        _cap("household alone", judged)


def _tell_members_apart(judged: Judgements, given: Judged, birth: Judged) -> None:
    if given[0] is CONFLICTING:
        judged.append(("household member", (APART, WEIGHTS.household_other_given)))
    elif given[0] is DIFFERENT:
        judged.append(("household member", (APART, WEIGHTS.household_unlike_given)))
    if birth[0] is CONFLICTING:
        judged.append(("household member", (APART, WEIGHTS.household_other_birth)))


def _within_household(names: NamesJudged, birth: Judged, number: Judged, email: Judged, phone: Judged) -> int:
    """The evidence for one person against two members of one household."""
    evidence = min(names.given[1], WEIGHTS.within_same_given) + names.middle[1] + birth[1] + number[1]
    for (level, _), same, different in (
        (email, WEIGHTS.within_email_same, WEIGHTS.within_email_different),
        (phone, WEIGHTS.within_phone_same, WEIGHTS.within_phone_different),
    ):
        if level is SAME or level is CLOSE:
            evidence += same
        elif level is DIFFERENT:
            evidence += different
    return evidence


def _judge_organizations(a: Features, b: Features, generic: Collection[bytes], judged: Judgements) -> None:
    """Add the names and mail domains of two organizations."""
    (_, number), (_, email), (_, phone), (_, place) = judged
    name = judge_organizations(a.organizations, b.organizations)
    domain = judge_domains(a.domains, b.domains, generic) if email[1] <= 0 else MISSING
    judged += ("organization", name), ("mail domain", domain)
    contact = _agreeing(email, phone, place, domain)
    _cap_household(contact, judged)
    if number[1] <= 0 and not (name[1] > 0 and contact >= WEIGHTS.second_group):
        _cap("name alone" if name[1] > 0 else "contact alone", judged)


def _agreeing(*evidence: Judged) -> int:
    return sum([weight for _, weight in evidence if weight > 0])


def _cap_household(household: int, judged: Judgements) -> None:
    if household > WEIGHTS.household_cap:
        judged.append(("one household", (CAPPED, WEIGHTS.household_cap - household)))


def _cap(rule: str, judged: Judgements) -> None:
    """Keep the sum below every match threshold."""
    excess = sum(weight for _, (_, weight) in judged) - (GROWTH.lowest_match - 1)
    if excess > 0:
        judged.append((rule, (CAPPED, -excess)))


def _levels(judged: Judgements) -> tuple[Level, ...]:
    return tuple(Level(attribute, level, weight) for attribute, (level, weight) in judged)
