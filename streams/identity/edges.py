"""The stored edges: which pairs of records speak for being one customer, and how strongly.

At any time: a pair has an edge iff both records hold a key that is on, and their score reaches the lowest review threshold
of any size class. So a realm that grows or shrinks needs no new comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.identity.desk import Desk, Evidence
from streams.identity.matcher import F
from streams.identity.model import Comparison, MatchKey
from streams.identity.postings import state

_NOTHING: frozenset[MatchKey] = frozenset()


def shared_keys(a: Evidence[F], b: Evidence[F]) -> list[MatchKey]:
    """The match keys both records hold."""
    held = frozenset(b.keys)
    return [key for key in a.keys if key in held]


def generic_keys(desk: Desk[F], keys: Iterable[MatchKey]) -> frozenset[MatchKey]:
    """Which of these keys' values are generic now."""
    kinds, postings = desk.kinds, desk.postings
    return frozenset(key for key in keys if kinds[key[0]].distinct_names and state(kinds[key[0]], postings[key]).generic)


def is_proposed(desk: Desk[F], keys: Iterable[MatchKey]) -> bool:
    """Whether a pair that shares these keys is compared at all."""
    kinds = desk.kinds
    return any(state(kinds[key[0]], desk.postings[key]).on for key in keys)


def compare_pair(desk: Desk[F], a: Evidence[F], b: Evidence[F]) -> Comparison:
    """Compare two records by what is generic now, whether or not a key proposes the pair, and explain it."""
    return desk.matcher.compare(a.features, b.features, generic_keys(desk, shared_keys(a, b)))


def refresh_record(desk: Desk[F], record: str, floor: int) -> None:
    """Compare a live record with every candidate, and store the edges."""
    kinds, postings = desk.kinds, desk.postings
    evidence = desk.evidence(record)
    candidates: set[str] = set()
    generic: set[MatchKey] = set()
    for key in evidence.keys:
        posting = postings[key]
        if posting.count == 1:
            continue  # by far the most: nobody but the record itself
        kind = kinds[key[0]]
        if kind.links:
            continue
        if posting.count <= kind.limit:
            candidates.update(posting.members)
        if kind.distinct_names and posting.count > kind.distinct_names and state(kind, posting).generic:
            generic.add(key)
    candidates.discard(record)
    scores: dict[str, int] = {}
    if candidates:
        desk.load_evidence(candidates)
        score_of, features = desk.matcher.score, evidence.features
        for other in sorted(candidates):
            theirs = desk.evidence(other)
            score = score_of(features, theirs.features, generic.intersection(theirs.keys) if generic else _NOTHING)
            if score >= floor:
                scores[other] = score
    _replace(desk, record, scores)


def drop_record(desk: Desk[F], record: str) -> None:
    """Remove all edges of a record."""
    _replace(desk, record, {})


def _replace(desk: Desk[F], record: str, scores: dict[str, int]) -> None:
    row = desk.record(record)
    old = row.edges
    if old == scores:
        return
    desk.load_records(scores)
    for other in old.keys() | scores.keys():
        after = scores.get(other)
        if old.get(other) != after:
            _set_half(desk, other, record, after)
    row.edges = scores
    desk.touch_record(record)


def refresh_pair(desk: Desk[F], a: str, b: str, floor: int) -> tuple[int | None, int | None]:
    """Bring one pair's edge up to date. Returns its score before and after; None is no edge."""
    row = desk.record(a)
    before = row.edges.get(b)
    left, right = desk.evidence(a), desk.evidence(b)
    shared = shared_keys(left, right)
    after: int | None = None
    if is_proposed(desk, shared):
        score = desk.matcher.score(left.features, right.features, generic_keys(desk, shared))
        after = score if score >= floor else None
    if before != after:
        _set_half(desk, a, b, after)
        _set_half(desk, b, a, after)
    return before, after


def _set_half(desk: Desk[F], record: str, other: str, score: int | None) -> None:
    edges = desk.record(record).edges
    if score is None:
        edges.pop(other, None)
    else:
        edges[other] = score
    desk.touch_record(record)
