"""Names of organizations."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Indel

from streams.identity.levels import CLOSE, DIFFERENT, MISSING, SAME, Judged
from streams.identity.weights import LIKENESS, WEIGHTS

_likeness = Indel.normalized_similarity


def judge_organizations(left: Sequence[str], right: Sequence[str]) -> Judged:
    """The best pair of names; the order of words does not matter."""
    if not left or not right:
        return MISSING
    return max((_judge_pair(x, y) for x in left for y in right), key=lambda judged: judged[1])


def _judge_pair(x: str, y: str) -> Judged:
    if x == y:
        return SAME, WEIGHTS.organization_same
    words_x, words_y = sorted(x.split()), sorted(y.split())
    if words_x == words_y:
        return SAME, WEIGHTS.organization_same
    if _likeness(" ".join(words_x), " ".join(words_y)) >= LIKENESS.organization:
        return CLOSE, WEIGHTS.organization_close
    if set(words_x) <= set(words_y) or set(words_y) <= set(words_x):
        return CLOSE, WEIGHTS.organization_part
    return DIFFERENT, WEIGHTS.organization_different
