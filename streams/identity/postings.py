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
    kinds, quiet_limits, posting_of, touch = desk.kinds, desk.quiet_limits, desk.posting, desk.touch_posting
    changes = []
    for key in keys:
        code = key[0]
        kind, posting = kinds[code], posting_of(key)
        token = name if kind.distinct_names else b""
        if posting.count < quiet_limits[code]:  # by far the most
            posting.members[record] = token
            posting.count = len(posting.members)
            touch(key)
        elif (change := _add(desk, key, kind, posting, record, token)) is not None:
            changes.append(change)
    return changes


def _add(desk: Desk[F], key: MatchKey, kind: KeyKind, posting: PostingRow, record: str, name: bytes) -> Change | None:
    limit = kind.inline_limit(desk.large_block)
    if posting.count > limit:
        _add_beyond(desk, key, posting, record, name)
        return None
    before = state(kind, posting)
    posting.members[record] = name
    posting.count = len(posting.members)
    desk.touch_posting(key)
    after = state(kind, posting)
    change = Change(before, after, tuple(posting.members)) if after != before else None
    if posting.count > limit:
        prefix = desk.keys.holders(key)
        for member, token in posting.members.items():
            desk.store.put(prefix + member.encode(), token)
        posting.members = {}
    return change


def _add_beyond(desk: Desk[F], key: MatchKey, posting: PostingRow, record: str, name: bytes) -> None:
    row = desk.keys.holders(key) + record.encode()
    if desk.store.get(row) is None:
        posting.count += 1
        desk.touch_posting(key)
    desk.store.put(row, name)


def remove(desk: Desk[F], key: MatchKey, record: str) -> Change | None:
    """Remove a holder. None: the key's state is as before."""
    kind, posting = desk.kinds[key[0]], desk.posting(key)
    before = state(kind, posting)
    limit = kind.inline_limit(desk.large_block)
    desk.touch_posting(key)
    posting.count -= 1
    if posting.count < limit:
        del posting.members[record]
    else:
        prefix = desk.keys.holders(key)
        desk.store.delete(prefix + record.encode())
        if posting.count == limit:
            for row, token in list(desk.store.scan(prefix)):
                posting.members[row[len(prefix) :].decode()] = token
                desk.store.delete(row)
    after = state(kind, posting)
    return Change(before, after, tuple(posting.members)) if after != before else None
