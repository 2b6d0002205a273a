"""Blocks: records joined by values that their issuer guarantees, without comparing any pair.

A registration number stands between its holders like a hub: 10,000 sites of one company are 10,000 links, not 50 million
pairs. Records reachable from each other over such values are one *block*, and one customer whatever else they say.
A block of more than `Desk.large_block` records is *large*: it is never walked through, only
entered at the records in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from streams.identity.desk import Desk
from streams.identity.matcher import F
from streams.identity.model import MatchKey


class Block(msgspec.Struct, frozen=True):
    """Records joined by values."""

    records: frozenset[str]  # all of them, or only some if it is large
    large: bool


def explore(desk: Desk[F], values: Iterable[MatchKey]) -> Block:
    """The block around some values, by the postings as they are now. Stops once it is known to be large."""
    records: set[str] = set()
    waiting = list(values)
    seen = set(waiting)
    while waiting:
        value = waiting.pop()
        posting = desk.postings[value]
        if posting.count > desk.large_block:
            return Block(frozenset(records), large=True)
        for record in posting.members:
            if record in records:
                continue
            records.add(record)
            if len(records) > desk.large_block:
                return Block(frozenset(records), large=True)
            for other in desk.record(record).links:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return Block(frozenset(records), large=False)


def holders(desk: Desk[F], value: MatchKey) -> Iterable[str]:
    """All holders of a value: not bounded, for the rare changes that need every one."""
    posting = desk.postings[value]
    if posting.count <= desk.large_block:
        return tuple(posting.members)
    prefix = desk.keys.holders(value)
    return [key[len(prefix) :].decode() for key, _ in desk.store.scan(prefix)]


def another_holder(desk: Desk[F], value: MatchKey, record: str) -> str | None:
    """Some holder of a value other than `record`; None if there is none."""
    posting = desk.postings[value]
    if posting.count <= desk.large_block:
        return min((other for other in posting.members if other != record), default=None)
    prefix = desk.keys.holders(value)
    for key, _ in desk.store.scan(prefix):
        other = key[len(prefix) :].decode()
        if other != record:
            return other
    return None


def connected(desk: Desk[F], values: Sequence[MatchKey]) -> bool:
    """Whether all these values lie in one block, however large it is. Walks the smallest values first."""
    if len(values) < 2:
        return True
    # One search from every value in turn, each by one value at a time: the search that starts in a small corner ends soon.
    groups: list[tuple[set[MatchKey], list[MatchKey]]] = [({value}, [value]) for value in values]
    while len(groups) > 1:
        groups.sort(key=lambda group: len(group[0]))
        seen, waiting = groups[0]
        if not waiting:
            return False
        waiting.sort(key=lambda value: -desk.postings[value].count)
        for record in holders(desk, waiting.pop()):
            for other in desk.record(record).links:
                if other in seen:
                    continue
                seen.add(other)
                waiting.append(other)
        merged = next((group for group in groups[1:] if not group[0].isdisjoint(seen)), None)
        if merged is not None:
            merged[0].update(seen)
            merged[1].extend(waiting)
            groups.pop(0)
    return True
