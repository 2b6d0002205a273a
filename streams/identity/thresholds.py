"""How much evidence a match needs: more in a larger realm, where coincidences are more."""

from __future__ import annotations

from streams.identity.model import Thresholds
from streams.identity.weights import GROWTH


def size_class(live: int) -> int:
    """floor(log4(live records of the realm)); 0 for an empty one. Coarse, so that thresholds seldom move."""
    return max(live.bit_length() - 1, 0) // 2


def thresholds(size_class: int) -> Thresholds:
    """The thresholds of one size class. A pair of strangers agrees by chance the more often, the more pairs there are:
    the bar rises by one bit with each doubling of the realm."""
    match = max(GROWTH.per_class * size_class + GROWTH.margin, GROWTH.lowest_match)
    return Thresholds(review=match - GROWTH.review_below, match=match)
