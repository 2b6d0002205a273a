"""Gathering what has to be grouped again after a change.

The records touched, everything reachable from them over edges that may merge, and the blocks they are in. A large block is
entered only at the records in question; its customer then has members that are not here, the *rest*. So has one that was
grouped by a lower threshold and is not connected by the present one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

from streams.identity.desk import Desk
from streams.identity.grouping import Edge, Unit
from streams.identity.links import Block, another_holder, explore
from streams.identity.matcher import F
from streams.identity.rows import RecordRow


class Component(Generic[F]):
    """Records to group again: closed under active edges, and under blocks that are not large."""

    def __init__(self, desk: Desk[F], match: int) -> None:
        self._desk = desk
        self._match = match
        self.rows: dict[str, RecordRow] = {}
        self.large: set[str] = set()
        """Records of large blocks among `rows`."""
        self.parts: list[list[str]] = []
        """The records by what was reached from each seed: connected parts, unless there are large blocks."""
        self._blocks: dict[str, Block] = {}
        self._joined: dict[object, object] = {}  # union-find over records, and customers that stand for their large block

    def collect(self, seeds: Iterable[str], opened: frozenset[str], changed: str | None) -> None:
        """Gather from `seeds`, which are live.

        A customer has at most one large block, so records of large blocks that have one customer are joined. Not so those
        in `opened` (their block became large, or fell apart, just now) and `changed` (its values changed just now): they are
        joined by values alone.
        """
        for seed in seeds:
            if seed not in self.rows:
                self.parts.append(self._walk(seed, opened, changed))

    def _walk(self, seed: str, opened: frozenset[str], changed: str | None) -> list[str]:
        record_of, rows, match = self._desk.record, self.rows, self._match
        waiting = [seed]
        part: list[str] = []
        while waiting:
            record = waiting.pop()
            if record in rows:
                continue
            row = rows[record] = record_of(record)
            part.append(record)
            if row.links and self._enter(record, row, opened, changed, waiting):
                continue
            for other, score in row.edges.items():
                if score >= match and other not in rows:
                    waiting.append(other)
        return part

    def _enter(self, record: str, row: RecordRow, opened: frozenset[str], changed: str | None, waiting: list[str]) -> bool:
        """Join a record to its block; True if that is large, so that the walk ends here."""
        desk = self._desk
        if {desk.postings[value].count for value in row.links} == {1}:
            return False  # by far the most: nobody but the record itself
        block = self._blocks.get(record)
        if block is None:
            block = explore(desk, row.links)
            if not block.large:
                self._blocks.update(dict.fromkeys(block.records, block))
        if not block.large:
            for other in block.records:
                if other != record:
                    self._join(record, other)
                    waiting.append(other)
            return False
        self.large.add(record)
        for value in row.links:
            self._join(record, value)
        if record == changed:
            others = (another_holder(desk, value, record) for value in row.links)
            waiting.extend(other for other in others if other is not None)
        elif record not in opened:
            self._join(record, ("customer", row.customer))
        return True

    def _join(self, a: object, b: object) -> None:
        self._joined[self._root(a)] = self._root(b)

    def _root(self, node: object) -> object:
        while (parent := self._joined.get(node, node)) != node:
            node = parent
        return node

    def units(self) -> list[Unit]:
        """The records as grouping takes them."""
        if not self._joined:
            return [Unit((record,)) for record in self.rows]
        groups: dict[object, list[str]] = {}
        for record in self.rows:
            groups.setdefault(self._root(record), []).append(record)
        return [Unit(tuple(sorted(group)), large=group[0] in self.large) for group in groups.values()]

    def edges(self) -> list[Edge]:
        """The active edges between the records."""
        match, rows = self._match, self.rows
        return [
            Edge(score, record, other)
            for record, row in rows.items()
            for other, score in row.edges.items()
            if record < other and score >= match and other in rows
        ]
