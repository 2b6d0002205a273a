"""In which attributes a member's content differs: only those need to be reconciled again. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.canonical import ATTRIBUTES, Attributes
from streams.customers.rows import MemberRow

CHARACTERISTICS = "characteristics"
NOTHING = MemberRow(sequence=0, attributes=Attributes())


def touched(before: MemberRow | None, after: MemberRow) -> set[str]:
    """Attributes whose value differs, or whose time does, which a rule may look at. A detached member states nothing."""
    was = before if before is not None and before.attached else NOTHING
    now = after if after.attached else NOTHING
    if was is NOTHING or now is NOTHING:
        stated = now.attributes if was is NOTHING else was.attributes
        return {name for name in ATTRIBUTES if getattr(stated, name)}
    return {name for name in ATTRIBUTES if _differs(name, was, now)}


def _differs(name: str, was: MemberRow, now: MemberRow) -> bool:
    old, new = getattr(was.attributes, name) or None, getattr(now.attributes, name) or None
    if old != new:
        return True
    if new is None:
        return False
    if name == CHARACTERISTICS:
        return _times_of(was.times, new) != _times_of(now.times, new)
    return was.times.get(name) != now.times.get(name)


def _times_of(times: Mapping[str, int], characteristics: Mapping[str, object]) -> list[int | None]:
    return [times.get(f"{CHARACTERISTICS}.{key}") for key in characteristics]
