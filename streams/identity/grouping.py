"""Which records of one component are one customer: a pure function, whatever the order of arrival.

Records joined by values are one unit from the start. Then edges in order of (score, record keys) merge the clusters they
connect, unless the two clusters contradict each other. A component that is too large raises its own threshold until its
parts fit. A record that two contradicting clusters claim about equally belongs to neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

Cluster: TypeAlias = tuple[str, ...]
Veto: TypeAlias = Callable[[Sequence[str], Sequence[str]], bool]


class Edge(NamedTuple):
    """A pair of records at or above the match threshold; `a` is the lesser key."""

    score: int
    a: str
    b: str


class Unit(NamedTuple):
    """Records that are one customer before any edge is looked at: a block, or a single record."""

    records: Cluster  # sorted
    large: bool = False  # a large block: perhaps not all its records are here


class Limits(NamedTuple):
    """What keeps grouping bounded and careful."""

    units: int = 200
    """A component of more units than this is not one customer but a chain of accidents: it raises its threshold."""
    step: int = 100
    """By how much it raises it, in centibits."""
    margin: int = 100
    """Two claims on a record within this are about equal, in centibits: less than a factor of two between them."""


def group(units: Iterable[Unit], edges: Iterable[Edge], veto: Veto, limits: Limits) -> list[Cluster]:
    """Clusters of all the units' records, each sorted, in the order of their first records.

    `veto` says whether two clusters contradict each other. For a cluster with a large block it is asked about the edge's
    own record alone, and two large blocks never merge: what a company's 10,000 sites say is not read for every new one.
    For the same reason a large block does not connect what hangs on it: its neighbourhoods are grouped one by one.
    """
    ordered = sorted(units)
    home = {record: unit for unit in ordered for record in unit.records}
    between = [e for e in edges if home[e.a] is not home[e.b] and not (home[e.a].large and home[e.b].large)]
    if not between:
        return [unit.records for unit in ordered]
    between.sort(key=lambda e: (-e.score, e.a, e.b))
    clusters = {unit: unit.records for unit in ordered if unit.large}
    if not clusters and len(ordered) <= limits.units:  # by far the most: it fits, and parts are no concern of each other
        return sorted(_resolve(_Part(ordered, between), home, veto, limits.margin))
    small: list[Cluster] = []
    for part in _fitting([unit for unit in ordered if not unit.large], between, home, limits):
        for cluster in _resolve(part, home, veto, limits.margin):
            block = next((home[record] for record in cluster if home[record].large), None)
            if block is None:
                small.append(cluster)
            else:
                clusters[block] = tuple(sorted({*clusters[block], *cluster}))
    return sorted([*small, *clusters.values()])


class _Part(NamedTuple):
    """Units connected with each other, and the edges at them, strongest first; those to large blocks too."""

    units: list[Unit]
    edges: list[Edge]


def _fitting(units: list[Unit], edges: list[Edge], home: dict[str, Unit], limits: Limits) -> Iterable[_Part]:
    """Connected parts of at most `limits.units` units, each by the lowest threshold at which it fits."""
    waiting = _parts(units, edges, home)
    while waiting:
        part = waiting.pop()
        if len(part.units) <= limits.units:
            yield part
            continue
        threshold = part.edges[-1].score + limits.step
        waiting.extend(_parts(part.units, [e for e in part.edges if e.score >= threshold], home))


def _parts(units: list[Unit], edges: list[Edge], home: dict[str, Unit]) -> list[_Part]:
    parent = {unit: unit for unit in units}

    def root(unit: Unit) -> Unit:
        while parent[unit] is not unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    for edge in edges:
        left, right = home[edge.a], home[edge.b]
        if not (left.large or right.large):
            parent[root(left)] = root(right)
    parts: dict[Unit, _Part] = {}
    for unit in units:
        parts.setdefault(root(unit), _Part([], [])).units.append(unit)
    for edge in edges:
        left = home[edge.a]
        parts[root(home[edge.b] if left.large else left)].edges.append(edge)
    return list(parts.values())


class _Growing:
    """A cluster while it grows."""

    __slots__ = ("large", "records")

    def __init__(self, records: Cluster, *, large: bool) -> None:
        self.records = records
        self.large = large

    def speaks(self, record: str) -> Cluster:
        """Whose evidence counts when an edge at `record` would merge this cluster."""
        return (record,) if self.large else self.records


def _resolve(part: _Part, home: dict[str, Unit], veto: Veto, margin: int) -> list[Cluster]:
    if not part.edges:
        return [unit.records for unit in part.units]
    cluster_of = _merge(part, part.edges, home, veto)
    torn = _torn(part.edges, cluster_of, home, veto, margin)
    if torn:
        edges = [edge for edge in part.edges if edge.a not in torn and edge.b not in torn]
        cluster_of = _merge(part, edges, home, veto)
    return [cluster.records for cluster in dict.fromkeys(cluster_of.values())]


def _merge(part: _Part, edges: list[Edge], home: dict[str, Unit], veto: Veto) -> dict[str, _Growing]:
    """The cluster of every record of the part, and of the large blocks at it, once these edges have merged what they may."""
    cluster_of: dict[str, _Growing] = {}
    for unit in part.units:
        cluster_of.update(dict.fromkeys(unit.records, _Growing(unit.records, large=False)))
    for edge in edges:
        for record in (edge.a, edge.b):
            if record not in cluster_of:  # a part's units are not large
                block = home[record].records
                cluster_of.update(dict.fromkeys(block, _Growing(block, large=True)))
    refused: set[tuple[_Growing, _Growing]] = set()  # pairs known to contradict; clusters are new objects once merged
    for edge in edges:
        left, right = cluster_of[edge.a], cluster_of[edge.b]
        if left is right or (left, right) in refused:
            continue
        if left.large and right.large:
            continue
        if veto(left.speaks(edge.a), right.speaks(edge.b)):
            if not (left.large or right.large):
                refused.update(((left, right), (right, left)))
            continue
        merged = _Growing(tuple(sorted(left.records + right.records)), large=left.large or right.large)
        for record in merged.records:
            cluster_of[record] = merged
    return cluster_of


def _torn(edges: list[Edge], cluster_of: dict[str, _Growing], home: dict[str, Unit], veto: Veto, margin: int) -> set[str]:
    """Single records that could as well belong to another cluster, which contradicts their own."""
    apart = [edge for edge in edges if cluster_of[edge.a] is not cluster_of[edge.b]]
    if not apart:
        return set()
    best: dict[str, int] = {}
    for edge in edges:  # strongest first
        if cluster_of[edge.a] is cluster_of[edge.b]:
            best.setdefault(edge.a, edge.score)
            best.setdefault(edge.b, edge.score)
    torn: set[str] = set()
    for edge in apart:
        for record, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if record in torn or record not in best or home[record].large or len(home[record].records) > 1:
                continue
            if edge.score >= best[record] - margin and not veto((record,), cluster_of[other].speaks(other)):
                torn.add(record)
    return torn
