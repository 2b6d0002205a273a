"""From one view to the next: what changed, and which event tells it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from schemas.view import (
    NO_ATTRIBUTES,
    VIEW_ATTRIBUTES,
    AttributeChange,
    CauseRef,
    CustomerChange,
    CustomerView,
    EventType,
    Sourced,
    ViewAttributes,
)
from streams.customers.rows import Pending

CHARACTERISTICS = "characteristics"


def transition(before: CustomerView | None, after: CustomerView, pending: Pending) -> CustomerChange | None:
    """The event from `before` to `after`; None if nothing a reader would call a change: provenance alone is none.

    An id that is merged away or deleted tells no attribute values: they are gone, or told by the surviving id.
    """
    changes = tuple(_changes(before, after))
    if before and not changes and before.status == after.status and before.merged_into == after.merged_into:
        return None
    return CustomerChange(
        event_id=f"{after.customer_id}:{after.version}",
        event_type=_event_type(before, after, pending, changes),
        customer_id=after.customer_id,
        realm=after.realm,
        version=after.version,
        status=after.status,
        event_time=pending.event_time,
        processing_time=after.processed_at,
        rules_version=after.rules_version,
        causes=tuple(CauseRef(ref=cause.ref, time=cause.time) for cause in pending.causes),
        cause_count=pending.cause_count,
        changes=changes,
        absorbed=tuple(pending.absorbed),
        merged_into=after.merged_into,
        split_from=pending.split_from,
        split_to=tuple(pending.split_to),
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


def _changes(before: CustomerView | None, after: CustomerView) -> Iterator[AttributeChange]:
    if after.status == "active":
        yield from _attribute_changes(before, after)
    if _of(before, "members") != after.members:
        yield _change("members", _of(before, "members"), after.members)
    elif before and before.member_count != after.member_count:  # among those beyond the cap
        yield _change("member_count", before.member_count, after.member_count)
    if _of(before, "aliases") != after.aliases:
        yield _change("aliases", _of(before, "aliases"), after.aliases)


def _of(view: CustomerView | None, name: str) -> tuple[str, ...]:
    return getattr(view, name) if view else ()


def _attribute_changes(before: CustomerView | None, after: CustomerView) -> Iterator[AttributeChange]:
    was, now = _all(before.attributes if before else NO_ATTRIBUTES), _all(after.attributes)
    for name, old, new in zip(VIEW_ATTRIBUTES, was, now, strict=False):
        if old is new or old == new:
            continue
        if name == CHARACTERISTICS:
            for key in sorted(old.keys() | new.keys()):
                yield from _value_change(f"{name}.{key}", old.get(key), new.get(key))
        else:
            yield from _value_change(name, old, new)


_all: Callable[[ViewAttributes], tuple[Any, ...]] = attrgetter(*VIEW_ATTRIBUTES)


def _value_change(attribute: str, old: Any, new: Any) -> Iterator[AttributeChange]:
    before, after = _value(old) if old else None, _value(new) if new else None
    if before != after:
        yield _change(attribute, before, after)


def _value(found: Any) -> Any:
    """Without provenance."""
    if isinstance(found, Sourced):
        return found.value
    return [element.value for element in found]


def _change(attribute: str, before: Any, after: Any) -> AttributeChange:
    return AttributeChange(
        attribute=attribute,
        before=_to_json(before).decode() if before else None,
        after=_to_json(after).decode() if after else None,
    )


_to_json = msgspec.json.Encoder().encode
