"""The words of identity: features of a record, its match keys, and what comparing two records says.

Two halves meet here. The pure half (standardise, keys, compare) turns one record into `Features` and two `Features` into
a `Comparison`. The keeping half (postings, edges, grouping, ledger) decides which pairs to compare and which records are
one customer. Neither knows how the other works.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

import msgspec

MatchKey = NewType("MatchKey", bytes)
"""A value records are looked up by: the code of its kind (`KeyKind.code`), then a keyed hash, so no personal value stands in
a key. One string of bytes, as every record has some eight and each is looked up, compared and stored time and again."""


class KeyKind(msgspec.Struct, frozen=True):
    """What one kind of match key may do. A pure function of the current postings decides whether a key is on."""

    name: str
    code: int  # first byte of its keys; stored with them, so a kind keeps its own
    limit: int  # a key is on iff at most this many records hold it now; off keys propose no pairs
    links: bool = False  # guaranteed by its issuer: holders are one customer by value, without limit or comparison
    distinct_names: int = 0  # >0: the value is generic iff more distinct names than this hold it now (or the key is off)

    def inline_limit(self, large_block: int) -> int:
        """How many holders stand in a key's own row. More holders of a linking value are a large block at once."""
        return large_block if self.links else self.limit

    def quiet_limit(self, large_block: int) -> int:
        """With fewer holders than this, one more neither switches a key off nor makes it generic."""
        return min(self.inline_limit(large_block), self.distinct_names or self.inline_limit(large_block))


class Conflict(NamedTuple):
    """Two known values that contradict each other."""

    attribute: str
    vetoes_alone: bool  # a generation suffix


class Level(NamedTuple):
    """How one attribute compared, and what it is worth."""

    attribute: str
    level: str  # same, close, different, conflicting, missing, generic
    weight: int  # centibits: 100 = one factor of two in likelihood


class Comparison(NamedTuple):
    """What comparing two records says, explained. Symmetric: compare(a, b) == compare(b, a)."""

    score: int  # centibits (log2 likelihood ratio x 100); integers, so that order of summation cannot matter
    conflicts: tuple[Conflict, ...]
    levels: tuple[Level, ...]


class Thresholds(NamedTuple):
    """Scores in centibits, for one size class of a realm."""

    review: int  # at or above: the pair is kept as an edge
    match: int  # at or above: the pair may merge
