"""Postal addresses, part by part; the best pair counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rapidfuzz.distance import OSA, Indel

from streams.identity.features import Place
from streams.identity.levels import CLOSE, DIFFERENT, GENERIC, MISSING, SAME, Judged
from streams.identity.levels.contacts import are_apart
from streams.identity.weights import LIKENESS, WEIGHTS

_likeness = Indel.normalized_similarity
_distance = OSA.distance


def judge_places(left: Sequence[Place], right: Sequence[Place], generic: Collection[bytes]) -> Judged:
    """The best pair of addresses that were this record's at the same time."""
    best = None
    for a in left:
        for b in right:
            if are_apart(a.valid_from, a.valid_to, b.valid_from, b.valid_to):
                continue
            weight = _weigh(a, b)
            if weight > 0 and a.key and a.key == b.key and a.key in generic:
                judged: Judged = (GENERIC, 0)
            elif weight > WEIGHTS.address_highest + WEIGHTS.unit_different:
                judged = (SAME, weight)
            else:
                judged = (CLOSE if weight > 0 else DIFFERENT, weight)
            if best is None or judged[1] > best[1]:
                best = judged
    return best or MISSING


def _weigh(a: Place, b: Place) -> int:
    """What agrees, up to the highest, less what differs."""
    agreeing = differing = 0
    area = _weigh_area(a, b)
    if area > 0:
        agreeing = area
    else:
        differing = area
    if a.street and b.street:
        if a.street == b.street:
            agreeing += WEIGHTS.street_same
        elif _likeness(a.street, b.street) >= LIKENESS.street:
            agreeing += WEIGHTS.street_close
        else:
            differing += WEIGHTS.street_different
    if a.house and b.house:
        if a.house == b.house:
            agreeing += WEIGHTS.house_same
        else:
            differing += WEIGHTS.house_different
    if a.unit and b.unit:
        if a.unit == b.unit:
            agreeing += WEIGHTS.unit_same
        else:
            differing += WEIGHTS.unit_different
    highest = WEIGHTS.address_highest
    weight = (agreeing if agreeing < highest else highest) + differing
    return weight if weight > WEIGHTS.address_lowest else WEIGHTS.address_lowest


def _weigh_area(a: Place, b: Place) -> int:
    """Postcode, and locality as far as it adds to it."""
    weight = 0
    if a.postcode and b.postcode:
        if a.postcode == b.postcode:
            weight = WEIGHTS.postcode_same
        elif _distance(a.postcode, b.postcode, score_cutoff=1) <= 1:
            weight = WEIGHTS.postcode_slip
        else:
            weight = WEIGHTS.postcode_different
    if a.locality and b.locality:
        if a.locality == b.locality:
            weight += WEIGHTS.locality_same // 2 if weight > 0 else WEIGHTS.locality_same
        elif _likeness(a.locality, b.locality) >= LIKENESS.locality:
            weight += WEIGHTS.locality_close // 2 if weight > 0 else WEIGHTS.locality_close
    return weight
