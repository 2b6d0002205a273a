"""Who holds a match key, and what follows from how many do.

A key's state is a pure function of its holders now: *on* iff they are within its kind's limit, *generic* iff more distinct
names than the kind allows stand on it (or it is off). Holders are listed in the key's row while they are few; beyond that
each is a row of its own, so that adding one to a key of thousands writes a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.identity.desk import Desk
from streams.identity.matcher import F
from streams.identity.model import KeyKind, MatchKey
from streams.identity.rows import PostingRow


class KeyState(NamedTuple):
    on: bool
    generic: bool


def state(kind: KeyKind, posting: PostingRow) -> KeyState:
    """Whether a key proposes pairs, and whether its value is generic. A linking value does neither."""
    if kind.links:
        return KeyState(on=False, generic=False)
    on = posting.count <= kind.limit
    if not kind.distinct_names:
        return KeyState(on, generic=False)
    if not on:
        return KeyState(on, generic=True)
    if posting.count <= kind.distinct_names:
        return KeyState(on, generic=False)
    names = set(posting.members.values())
    names.discard(b"")  # a record without a name says nothing about how many share the value
    return KeyState(on, generic=len(names) > kind.distinct_names)


class Change(NamedTuple):
    """What adding or removing one holder did to a key's state."""

    before: KeyState
    after: KeyState
    holders: tuple[str, ...]  # all holders after it


def add_all(desk: Desk[F], keys: Iterable[MatchKey], record: str, name: bytes) -> list[Change]:
    """Add a holder of several keys, or change the name of one. The keys whose state is no longer as before."""
    counts_names, quiet_limits, postings = desk.counts_names, desk.quiet_limits, desk.postings
    named, nameless = PostingRow(1, {record: name}), PostingRow(1, {record: b""})
    filed: dict[MatchKey, PostingRow] = {}
    changes = []
    for key in keys:
        posting = postings[key]
        code, count = key[0], posting.count
        alone = named if code in counts_names else nameless
        if count < quiet_limits[code]:  # by far the most
            filed[key] = _with(posting, alone) if count else alone
        elif (change := _add(desk, key, desk.kinds[code], posting, alone)) is not None:
            changes.append(change)
    desk.put_postings(filed)
    return changes


def _with(posting: PostingRow, alone: PostingRow) -> PostingRow:
    """A posting with the holder of another."""
    members = posting.members | alone.members
    return PostingRow(len(members), members)


def _add(desk: Desk[F], key: MatchKey, kind: KeyKind, before: PostingRow, alone: PostingRow) -> Change | None:
    limit = kind.inline_limit(desk.large_block)
    if before.count > limit:
        _add_beyond(desk, key, before, alone)
        return None
    after = _with(before, alone)
    change = _change(kind, before, after)
    if after.count > limit:
        prefix = desk.keys.holders(key)
        for member, token in after.members.items():
            desk.store.put(prefix + member.encode(), token)
        after = PostingRow(after.count)
    desk.put_postings({key: after})
    return change


def _add_beyond(desk: Desk[F], key: MatchKey, posting: PostingRow, alone: PostingRow) -> None:
    ((record, name),) = alone.members.items()
    row = desk.keys.holders(key) + record.encode()
    if desk.store.get(row) is None:
        desk.put_postings({key: PostingRow(posting.count + 1)})
    desk.store.put(row, name)


def remove(desk: Desk[F], key: MatchKey, record: str) -> Change | None:
    """Remove a holder. None: the key's state is as before."""
    kind, before = desk.kinds[key[0]], desk.postings[key]
    limit, count = kind.inline_limit(desk.large_block), before.count - 1
    members = dict(before.members)
    if count < limit:
        del members[record]
    else:
        prefix = desk.keys.holders(key)
        desk.store.delete(prefix + record.encode())
        if count == limit:
            for row, token in list(desk.store.scan(prefix)):
                members[row[len(prefix) :].decode()] = token
                desk.store.delete(row)
    after = PostingRow(count, members)
    desk.put_postings({key: after})
    return _change(kind, before, after)


def _change(kind: KeyKind, before: PostingRow, after: PostingRow) -> Change | None:
    was, now = state(kind, before), state(kind, after)
    return Change(was, now, tuple(after.members)) if now != was else None
