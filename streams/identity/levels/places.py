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
            if weight > 0 and a.digest and a.digest == b.digest and a.digest in generic:
                judged: Judged = (GENERIC, 0)
            elif weight >= WEIGHTS.address_highest - WEIGHTS.unit_same:
                judged = (SAME, weight)
            else:
                judged = (CLOSE if weight > 0 else DIFFERENT, weight)
            if best is None or judged[1] > best[1]:
                best = judged
    return best or MISSING


def _weigh(a: Place, b: Place) -> int:
    weight = 0
    near = 0  # what the area says: postcode, and locality as far as it adds to it
    if a.postcode and b.postcode:
        if a.postcode == b.postcode:
            near = WEIGHTS.postcode_same
        elif _distance(a.postcode, b.postcode, score_cutoff=1) <= 1:
            near = WEIGHTS.postcode_slip
        else:
            near = WEIGHTS.postcode_different
    if a.locality and b.locality:
        if a.locality == b.locality:
            near += WEIGHTS.locality_same // 2 if near > 0 else WEIGHTS.locality_same
        elif _likeness(a.locality, b.locality) >= LIKENESS.locality:
            near += WEIGHTS.locality_close // 2 if near > 0 else WEIGHTS.locality_close
    weight += near
    if a.street and b.street:
        if a.street == b.street:
            weight += WEIGHTS.street_same
        elif _likeness(a.street, b.street) >= LIKENESS.street:
            weight += WEIGHTS.street_close
        else:
            weight += WEIGHTS.street_different
    if a.house and b.house:
        weight += WEIGHTS.house_same if a.house == b.house else WEIGHTS.house_different
    if a.unit and b.unit:
        weight += WEIGHTS.unit_same if a.unit == b.unit else WEIGHTS.unit_different
    return min(max(weight, WEIGHTS.address_lowest), WEIGHTS.address_highest)
