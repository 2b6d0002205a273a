"""Who holds a match key, and what follows from how many do.

A key's state is a pure function of its holders now: *on* iff they are within its kind's limit, *generic* iff more distinct
names than the kind allows stand on it (or it is off). Holders are listed in the key's row while they are few; beyond that
each is a row of its own, so that adding one to a key of thousands writes a few bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.identity.desk import Desk
from streams.identity.matcher import F
from streams.identity.model import KeyKind, MatchKey
from streams.identity.rows import PostingRow


class KeyState(NamedTuple):
    on: bool
    generic: bool


def inline_limit(desk: Desk[F], kind: KeyKind) -> int:
    """How many holders stand in the key's own row. More holders of a linking value are a large block at once."""
    return desk.large_block if kind.links else kind.limit


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


def add(desk: Desk[F], key: MatchKey, record: str, name: bytes) -> Change | None:
    """Add a holder, or change the name of one. None: the key's state is as before."""
    kind, posting = desk.kinds[key.kind], desk.posting(key)
    limit = inline_limit(desk, kind)
    if posting.count < (kind.distinct_names or limit) and posting.count < limit:  # nor is it off or generic after this
        posting.members[record] = name
        posting.count = len(posting.members)
        desk.touch_posting(key)
        return None
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
    kind, posting = desk.kinds[key.kind], desk.posting(key)
    before = state(kind, posting)
    limit = inline_limit(desk, kind)
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
