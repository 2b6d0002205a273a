"""Identifications and genders."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rapidfuzz.distance import OSA

from streams.identity.features import LINKING_TYPES, Number
from streams.identity.levels import CLOSE, CONFLICTING, DIFFERENT, GENERIC, MISSING, SAME, Judged
from streams.identity.weights import WEIGHTS

_distance = OSA.distance

RENEWABLE = frozenset({"passport", "driving_licence", "residence_permit"})
"""A second number of these is a renewal as likely as another person."""


def judge_numbers(left: Sequence[Number], right: Sequence[Number], generic: Collection[bytes]) -> Judged:
    """The strongest agreement there is; without one, the strongest contradiction within a type and issuer."""
    if not left or not right:
        return MISSING
    best: Judged | None = None
    worst = MISSING
    for a in left:
        for b in right:
            judged = _judge_pair(a, b, generic)
            if judged is None:
                continue
            if judged[1] > 0:
                best = judged if best is None or judged[1] > best[1] else best
            elif judged[1] < worst[1] or worst is MISSING:
                worst = judged
    return best or worst


def _judge_pair(a: Number, b: Number, generic: Collection[bytes]) -> Judged | None:
    """None where the two say nothing about each other."""
    linking = a.type in LINKING_TYPES
    if a.value == b.value:
        if linking or b.type in LINKING_TYPES:
            return (SAME, WEIGHTS.registration_same) if a.key == b.key else None
        return (GENERIC, 0) if a.key in generic else (SAME, WEIGHTS.number_same)
    if a.type != b.type or (a.issuer != b.issuer and a.issuer and b.issuer):
        return None
    if a.type == "customer_number":
        return DIFFERENT, WEIGHTS.account_different
    length = min(len(a.value), len(b.value))
    if length >= WEIGHTS.number_slip_length and _distance(a.value, b.value, score_cutoff=1) <= 1:
        return CLOSE, WEIGHTS.number_slip
    if a.type in RENEWABLE:
        return DIFFERENT, WEIGHTS.renewable_conflicting
    return CONFLICTING, WEIGHTS.number_conflicting


def judge_gender(x: str, y: str) -> Judged:
    """Weak either way: sources guess it from the given name."""
    if not x or not y:
        return MISSING
    return (SAME, WEIGHTS.gender_same) if x == y else (DIFFERENT, WEIGHTS.gender_different)
