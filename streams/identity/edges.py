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


def shared_keys(a: Evidence[F], b: Evidence[F]) -> list[MatchKey]:
    """The match keys both records hold."""
    if len(b.kinds) < len(a.kinds):
        a, b = b, a
    return [MatchKey(kind, digest) for digest, kind in a.kinds.items() if digest in b.kinds]


def generic_digests(desk: Desk[F], keys: Iterable[MatchKey]) -> frozenset[bytes]:
    """Which of these keys' values are generic now."""
    kinds = desk.kinds
    return frozenset(
        key.digest for key in keys if kinds[key.kind].distinct_names and state(kinds[key.kind], desk.posting(key)).generic
    )


def is_proposed(desk: Desk[F], keys: Iterable[MatchKey]) -> bool:
    """Whether a pair that shares these keys is compared at all."""
    kinds = desk.kinds
    return any(state(kinds[key.kind], desk.posting(key)).on for key in keys)


def compare_pair(desk: Desk[F], a: Evidence[F], b: Evidence[F], *, explain: bool = False) -> Comparison:
    """Compare two records by what is generic now, whether or not a key proposes the pair."""
    generic = generic_digests(desk, shared_keys(a, b))
    return desk.matcher.compare(a.features, b.features, generic, explain)


def refresh_record(desk: Desk[F], record: str, floor: int) -> dict[str, tuple[int | None, int | None]]:
    """Compare a live record with every candidate; store the edges. Returns what changed: other -> (score before, after)."""
    kinds = desk.kinds
    evidence = desk.evidence(record)
    candidates: set[str] = set()
    generic: set[bytes] = set()
    for key in evidence.keys:
        kind, posting = kinds[key.kind], desk.posting(key)
        if kind.links:
            continue
        if posting.count <= kind.limit:
            candidates.update(posting.members)
        if kind.distinct_names and posting.count > kind.distinct_names and state(kind, posting).generic:
            generic.add(key.digest)
    candidates.discard(record)
    desk.load_evidence(candidates)
    compare, features, nothing = desk.matcher.compare, evidence.features, frozenset[bytes]()
    scores: dict[str, int] = {}
    for other in sorted(candidates):
        theirs = desk.evidence(other)
        shared_generic = generic.intersection(theirs.kinds) if generic else nothing
        score = compare(features, theirs.features, shared_generic).score
        if score >= floor:
            scores[other] = score
    return _replace(desk, record, scores)


def drop_record(desk: Desk[F], record: str) -> dict[str, tuple[int | None, int | None]]:
    """Remove all edges of a record."""
    return _replace(desk, record, {})


def _replace(desk: Desk[F], record: str, scores: dict[str, int]) -> dict[str, tuple[int | None, int | None]]:
    row = desk.record(record)
    old = row.edges
    changes: dict[str, tuple[int | None, int | None]] = {}
    for other in old.keys() | scores.keys():
        before, after = old.get(other), scores.get(other)
        if before == after:
            continue
        changes[other] = (before, after)
        _set_half(desk, other, record, after)
    if changes:
        row.edges = scores
        desk.touch_record(record)
    return changes


def refresh_pair(desk: Desk[F], a: str, b: str, floor: int) -> tuple[int | None, int | None]:
    """Bring one pair's edge up to date. Returns its score before and after; None is no edge."""
    row = desk.record(a)
    before = row.edges.get(b)
    left, right = desk.evidence(a), desk.evidence(b)
    shared = shared_keys(left, right)
    after: int | None = None
    if is_proposed(desk, shared):
        score = desk.matcher.compare(left.features, right.features, generic_digests(desk, shared)).score
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
