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

from streams.identity.features import ORGANIZATION, UNKNOWN_KIND, Features
from streams.identity.levels import CONFLICTING, GENERIC, MISSING, SAME, Judged
from streams.identity.levels.birth import judge_birth
from streams.identity.levels.contacts import judge_emails, judge_phones
from streams.identity.levels.names import NAMELESS, judge_names
from streams.identity.levels.numbers import judge_gender, judge_numbers
from streams.identity.levels.organizations import judge_organizations
from streams.identity.levels.places import judge_places
from streams.identity.model import Comparison, Conflict, Level
from streams.identity.thresholds import size_class, thresholds
from streams.identity.veto import cluster_veto
from streams.identity.weights import GROWTH, WEIGHTS

__all__ = ["cluster_veto", "compare", "size_class", "thresholds"]


def compare(a: Features, b: Features, generic: Collection[bytes] = (), explain: bool = False) -> Comparison:
    """Compare two records. Symmetric; `generic` holds the digests of the match keys that are generic now.

    The weights of the explained levels add up to the score.
    """
    number = judge_numbers(a.numbers, b.numbers, generic)
    email = judge_emails(a.emails, b.emails, generic)
    phone = judge_phones(a.phones, b.phones, generic)
    place = judge_places(a.places, b.places, generic)
    contact = email[1] + phone[1] + place[1]
    if a.kind != b.kind and a.kind != UNKNOWN_KIND and b.kind != UNKNOWN_KIND:
        kind: Judged = (CONFLICTING, WEIGHTS.kind_conflicting)
        judged = {"kind": kind, "identification": number, "email": email, "phone": phone, "address": place}
        return _conclude(judged, contact, 0, explain)
    if a.kind == ORGANIZATION or b.kind == ORGANIZATION or not (a.names and b.names):
        name = judge_organizations(a.organizations, b.organizations)
        judged = {"organization": name, "identification": number, "email": email, "phone": phone, "address": place}
        enough = number[1] > 0 or (name[1] > 0 and contact >= WEIGHTS.second_group)
        return _conclude(judged, contact, 0 if enough else GROWTH.lowest_match - 1, explain)
    names = judge_names(a.names, b.names)
