"""From one view to the next: what changed, and which event tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import msgspec

from schemas.view import (
    VIEW_ATTRIBUTES,
    AttributeChange,
    CauseRef,
    CustomerChange,
    CustomerView,
    EventType,
    Sourced,
)
from streams.customers.cutting import IDS
from streams.customers.rows import Pending, Published

CHARACTERISTICS = "characteristics"


def transition(was: Published | None, now: Published, pending: Pending) -> CustomerChange | None:
    """The event from one view to the next; None if nothing a reader would call a change: provenance alone is none.

    An id that is merged away or deleted tells no attribute values: they are gone, or told by the surviving id.
    """
    before, after = was.view if was else None, now.view
    cut = {*(before.cut if before else ()), *after.cut}
    changes = (*_attribute_changes(was.told if was else {}, now, cut), *_changes(before, after, cut))
    if before and not changes and before.status == after.status and before.merged_into == after.merged_into:
        return None
    return CustomerChange(
        event_id=f"{after.customer_id}:{after.version}",
        event_type=_event_type(before, after, pending, changes),
        customer_id=after.customer_id,
        realm=after.realm,
        version=after.version,
        status=after.status,
        event_time=pending.event_time or after.event_time,
        processing_time=after.processed_at,
        rules_version=after.rules_version,
        causes=tuple([CauseRef(ref=cause.ref, time=cause.time) for cause in pending.causes]),
        cause_count=pending.cause_count,
        changes=changes,
        absorbed=tuple(pending.absorbed[:IDS]),
        merged_into=after.merged_into,
        split_from=pending.split_from,
        split_to=tuple(pending.split_to[:IDS]),
        cut=len(pending.absorbed) > IDS or len(pending.split_to) > IDS,
    )


def _event_type(
    before: CustomerView | None, after: CustomerView, pending: Pending, changes: tuple[AttributeChange, ...]
) -> EventType:
    """The most telling type: the end of an id, its beginning, whom it met or left, its state, its values."""
    if after.status == "merged":
        return "CustomerMergeEvent"
    if after.status == "deleted":
        return "CustomerDeleteEvent"
    if before is None:
        return "CustomerCreateEvent"
    if pending.absorbed:
        return "CustomerMergeEvent"
    if pending.split_from or pending.split_to:
        return "CustomerSplitEvent"
    if before.status != after.status or any(change.attribute == "status" for change in changes):
        return "CustomerStateChangeEvent"
    return "CustomerAttributeValueChangeEvent"


def _changes(before: CustomerView | None, after: CustomerView, cut: Set[str]) -> list[AttributeChange]:
    members, aliases = (before.members, before.aliases) if before else ((), ())
    changes = []
    if members != after.members:
        changes.append(_change("members", members, after.members, cut="members" in cut))
    elif before and before.member_count != after.member_count:  # among those beyond the cap
        changes.append(_change("member_count", before.member_count, after.member_count))
    if aliases != after.aliases:
        changes.append(_change("aliases", aliases, after.aliases))
    return changes


def _attribute_changes(was: Mapping[str, str], after: Published, cut: Set[str]) -> list[AttributeChange]:
    now = after.told
    if after.view.status != "active" or was == now:
        return []
    differing = [key for key, value in now.items() if was.get(key) != value]
    differing += was.keys() - now.keys()
    differing.sort(key=_place)
    return [
        AttributeChange(attribute=key, before=was.get(key), after=now.get(key), cut=key.partition(".")[0] in cut)
        for key in differing
    ]


_PLACES = {name: place for place, name in enumerate(VIEW_ATTRIBUTES)}


@lru_cache(maxsize=4096)
def _place(key: str) -> tuple[int, str]:
    """In the order of the view's attributes, characteristics by their keys."""
    return _PLACES.get(key.partition(".")[0], len(_PLACES)), key


def tell(told: dict[str, str], attribute: str, found: Any) -> None:
    """Enters an attribute's value as changes tell it: JSON text, without provenance; nothing for an empty one."""
    if attribute == CHARACTERISTICS:
        for key in list(filter(_is_characteristic, told)):
            del told[key]
        told.update({f"{CHARACTERISTICS}.{key}": _text(sourced.value) for key, sourced in found.items()})
    elif not found:
        told.pop(attribute, None)
    else:
        told[attribute] = _text(found.value if isinstance(found, Sourced) else [element.value for element in found])


def _is_characteristic(key: str) -> bool:
    return key.startswith(f"{CHARACTERISTICS}.")


def _change(attribute: str, before: Any, after: Any, *, cut: bool = False) -> AttributeChange:
    return AttributeChange(
        attribute=attribute, before=_text(before) if before else None, after=_text(after) if after else None, cut=cut
    )


def _text(value: Any) -> str:
    return _to_json(value).decode()


_to_json = msgspec.json.Encoder().encode
