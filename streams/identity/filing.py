"""Filing a record under its match keys, and seeing what else that changes.

One record more or less can switch a key on or off, make a value generic or ordinary, and join or part blocks. Then pairs
and groups that the record has no part in must be looked at again.
"""

from __future__ import annotations

from itertools import combinations

import msgspec

from streams.identity.desk import Desk, Evidence
from streams.identity.links import Block, connected, explore
from streams.identity.matcher import F
from streams.identity.model import MatchKey
from streams.identity.postings import Change, add_all, remove


class Filing(msgspec.Struct, frozen=True):
    """What follows from having filed a record."""

    pairs: list[tuple[str, str]]  # other pairs to compare again: a key of theirs changed its state
    seeds: frozenset[str]  # other records to group again: their block changed
    opened: frozenset[str]  # those of them whose customer no longer tells which large block they are in
    links_changed: bool


def file_record(desk: Desk[F], record: str, evidence: Evidence[F] | None) -> Filing:
    """Replace a record's evidence, keys, links and liveness. None: it is deleted. Its edges are left as they are."""
    row = desk.record(record)
    old = desk.evidence(record) if row.live else None
    old_links = row.links
    linking = desk.links
    links = [key for key in evidence.keys if key[0] in linking] if evidence is not None else []
    links_changed = set(links) != set(old_links)
    before: dict[MatchKey, Block] = {}  # around the values of a block that may part, become large or cease to be
    if links_changed and not _only_grows(desk, old_links, links):
        before = {value: explore(desk, [value]) for value in dict.fromkeys([*old_links, *links])}
    changes = _file_keys(desk, record, old, evidence)
    row.links = links
    if evidence is None:
        desk.drop_evidence(record)
        desk.realm.live -= 1
        row.live = False
    else:
        desk.put_evidence(record, evidence)
        if not row.live:
            desk.realm.live += 1
            row.live = True
            row.tenure = desk.next_ordinal()
    desk.touch_record(record)
    desk.realm_changed = True
    seeds, opened = _blocks(desk, record, old_links, before) if before else (frozenset[str](), frozenset[str]())
    return Filing(_pairs(changes, record) if changes else [], seeds, opened, links_changed)


def _file_keys(desk: Desk[F], record: str, old: Evidence[F] | None, new: Evidence[F] | None) -> list[Change]:
    if old is None:
        return add_all(desk, new.keys, record, new.name) if new is not None else []
    kept = frozenset(new.keys) if new is not None else frozenset()
    changes = [change for key in old.keys if key not in kept and (change := remove(desk, key, record)) is not None]
    if new is not None:
        held, kinds, renamed = frozenset(old.keys), desk.kinds, old.name != new.name
        keys = [key for key in new.keys if key not in held or (renamed and kinds[key[0]].distinct_names)]
        changes += add_all(desk, keys, record, new.name)
    return changes


def _pairs(changes: list[Change], record: str) -> list[tuple[str, str]]:
    pairs: dict[tuple[str, str], None] = {}
    for change in changes:
        pairs.update(dict.fromkeys(combinations(sorted(r for r in change.holders if r != record), 2)))
    return list(pairs)


def _only_grows(desk: Desk[F], old: list[MatchKey], new: list[MatchKey]) -> bool:
    """Whether the record's block only gains by these links, and is not large even then: grouping the record again finds all
    that is connected with it."""
    if not set(old) <= set(new):
        return False
    if not any(desk.postings[value].count for value in new):  # most values are new with the first that holds them
        return True
    block = explore(desk, new)
    return not block.large and len(block.records) < desk.large_block


def _blocks(
    desk: Desk[F], record: str, old_links: list[MatchKey], before: dict[MatchKey, Block]
) -> tuple[frozenset[str], frozenset[str]]:
    """Records to group again because a block changed, and those of them that are `opened`."""
    after = {value: explore(desk, [value]) for value in before}
    seeds: set[str] = set()
    opened: set[str] = set()
    for value, block in after.items():
        if not block.large:
            seeds.update(block.records)
        if not before[value].large:
            seeds.update(before[value].records)
            if block.large:
                opened.update(before[value].records)
    opened.discard(record)
    still_large = [value for value in old_links if before[value].large and after[value].large]
    if not connected(desk, still_large):
        customer = desk.record(record).customer
        opened.update(other for other in desk.members(customer) if other != record)
        seeds.update(opened)
    for other in list(opened):  # what hangs on them by an edge hung on another block before
        seeds.update(desk.record(other).edges)
    seeds.discard(record)
    return frozenset(seeds), frozenset(opened)
