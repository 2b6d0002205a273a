"""The strategies: each narrows the candidates to those it finds equally best.

A strategy is a pure function of the *set* of candidates, so members may come in any order. It keeps at least one. To add
one, write the function and enter it in `STRATEGIES`; rules may then name it, alone or as a tie-breaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

from schemas.canonical import Part
from streams.survivorship.candidates import Candidate, is_verified
from streams.survivorship.dates import instant

V = TypeVar("V")


class Strategy(Protocol):
    """Narrows candidates, of whatever type of value, to the best of them."""

    def __call__(self, candidates: Sequence[Candidate[V]], /) -> Sequence[Candidate[V]]: ...


def most_recent(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
    """Those with the newest event time."""
    newest = max([candidate.time for candidate in candidates])
    return [candidate for candidate in candidates if candidate.time == newest]


def source_priority(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
    """Those of the source that stands first in the rule's list; sources not listed come last, all equal."""
    best = min([candidate.rank for candidate in candidates])
    return [candidate for candidate in candidates if candidate.rank == best]


def longest(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
    """Those that say most: the number of characters, over all elements and fields but the raw one."""
    lengths = [_length(candidate.value) for candidate in candidates]
    most = max(lengths)
    return [candidate for candidate, length in zip(candidates, lengths, strict=True) if length == most]


def verified(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
    """Those a source vouches for, if there are any; else all."""
    return [candidate for candidate in candidates if is_verified(candidate.value)] or candidates


def latest_date(field: str) -> Strategy:
    """A strategy: those whose own date in `field` (ISO 8601) is the latest; a value without one is older than any."""

    def narrow(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
        texts = [getattr(candidate.value, field) for candidate in candidates]
        if texts.count(texts[0]) == len(texts):
            return candidates  # without reading them
        instants = [instant(text) for text in texts]
        latest = max(instants)
        return [candidate for candidate, found in zip(candidates, instants, strict=True) if found == latest]

    return narrow


def preferred_use(uses: Sequence[str]) -> Strategy:
    """A strategy: those whose `use` stands first in `uses`; uses not listed come last, all equal."""
    ranks = {use: rank for rank, use in enumerate(uses)}

    def narrow(candidates: Sequence[Candidate[V]]) -> Sequence[Candidate[V]]:
        found = [ranks.get(getattr(candidate.value, "use", ""), len(ranks)) for candidate in candidates]
        best = min(found)
        return [candidate for candidate, rank in zip(candidates, found, strict=True) if rank == best]

    return narrow


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Part):
        fields = msgspec.structs.asdict(value)
        return sum(len(text) for name, text in fields.items() if isinstance(text, str) and name != "raw")
    if isinstance(value, tuple):
        return sum(map(_length, value))
    return 0


STRATEGIES: dict[str, Strategy] = {
    "most_recent": most_recent,
    "source_priority": source_priority,
    "longest": longest,
    "verified": verified,
}
"""What a rule may name. `union`, which keeps all values, is not a choice among them: see `union.py`."""
