"""The final views are a pure function of what the records last said and where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import Address, Attributes, Consent, Email, Name, Phone
from schemas.messages import CustomersInbox, MemberAttached
from schemas.view import CustomerView
from streams.customers import read_view
from streams.customers.rows import read_members, read_row
from tests.unit.streams.customers.parts import Bench, attached, detached, entity, grown, updated

RECORDS = ("north/crm/1", "north/billing/2", "north/selfcare/3")
CUSTOMERS = ("c1", "c2")

words = st.sampled_from(["a", "A ", "b", "cc", ""])
maybe = st.none() | words
attributes = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["individual", "organization", None]),
        "status": maybe,
        "names": st.lists(st.builds(Name, use=st.sampled_from(["legal", "preferred", ""]), family=words), max_size=2),
        "birth_date": maybe,
        "emails": st.lists(st.builds(Email, value=words, raw=words, verified=st.booleans()), max_size=2),
        "phones": st.lists(st.builds(Phone, value=words, raw=words, verified=st.booleans()), max_size=2),
        "addresses": st.lists(st.builds(Address, house=words, street=words, verified=st.booleans()), max_size=2),
        "consents": st.lists(st.builds(Consent, purpose=words, granted=st.booleans(), at=words), max_size=2),
        "characteristics": st.dictionaries(st.sampled_from(["x", "y"]), maybe, max_size=2),
    },
).map(lambda stated: msgspec.convert(stated, Attributes))
steps = st.lists(st.tuples(st.sampled_from(CUSTOMERS), attributes, st.integers(1, 4)), min_size=1, max_size=4)


def history(record: str, steps: Sequence[tuple[str, Attributes, int]]) -> list[CustomersInbox]:
    """What `records` sends of one record that says these things and belongs to these customers, one after the other."""
    messages: list[CustomersInbox] = []
    sequence, at = 0, ""
    for customer, content, time in steps:
        sequence += 1
        if at == customer:
            messages.append(updated(record, content, customer, sequence, time))
            continue
        if at:
            messages.append(detached(record, at, sequence))
            sequence += 1
        messages.append(attached(record, content, customer, sequence, time))
        at = customer
    return messages


def tell_with_the_last_attachment(messages: list[CustomersInbox], members: Sequence[str]) -> None:
    at = max(place for place, message in enumerate(messages) if isinstance(message, MemberAttached))
    messages[at] = msgspec.structs.replace(messages[at], grown=grown(members))


def memberships(histories: Sequence[Sequence[CustomersInbox]]) -> dict[str, list[str]]:
    last: dict[str, Any] = {record: messages[-1] for record, messages in zip(RECORDS, histories, strict=True)}
    return {customer: [r for r, message in last.items() if message.customer == customer] for customer in CUSTOMERS}


def content(view: CustomerView | None) -> CustomerView | None:
    """A view without what depends on the order of events: its version and times."""
    return msgspec.structs.replace(view, version=0, event_time=0, processed_at=0) if view else None


@settings(max_examples=80, deadline=None)
@given(st.tuples(steps, steps, steps), st.data())
def test_any_interleaving_with_duplicates_gives_the_same_views(says: Any, data: st.DataObject) -> None:
    histories = [history(record, said) for record, said in zip(RECORDS, says, strict=True)]
    members = memberships(histories)
    entities: list[CustomersInbox] = []
    for customer, records in members.items():
        carrier = data.draw(st.sampled_from([None, *records]), label="told with")
        if carrier is None:
            entities.append(entity(records, customer))
        else:
            tell_with_the_last_attachment(histories[RECORDS.index(carrier)], records)

    plain = Bench()
    plain.give(*(message for messages in histories for message in messages), *entities)

    mixed = Bench()
    queues = [list(queue) for queue in (*histories, entities)]
    while queues := [queue for queue in queues if queue]:
        queue = queues[data.draw(st.integers(0, len(queues) - 1))]
        message = queue.pop(0)
        mixed.give(message)
        if data.draw(st.booleans(), label="again"):
            mixed.give(message)

    for customer, records in members.items():
        views = [content(read_view(bench.store, customer, bench.codec)) for bench in (plain, mixed)]
        if records:
            assert views[0] == views[1]
            view = views[0]
            assert view is not None
            assert list(view.members) == sorted(records)
            contents = list(read_members(plain.store, customer))
            assert view.attributes == plain.survivorship.reconcile(contents)
        else:
            assert all(view is None or view.status == "deleted" for view in views)


@settings(max_examples=30, deadline=None)
@given(st.tuples(steps, steps, steps))
def test_versions_have_no_gap_and_each_event_starts_where_the_last_ended(says: Any) -> None:
    histories = [history(record, said) for record, said in zip(RECORDS, says, strict=True)]
    bench = Bench()
    held: dict[str, dict[str, str | None]] = {}
    versions: dict[str, int] = {}
    epochs = 0
    for messages in zip(*(m + [m[-1]] * (8 - len(m)) for m in histories), strict=True):
        changes = bench.give(*messages)
        for customer in CUSTOMERS:
            row = read_row(bench.store, customer)
            if row is not None:
                epochs += 1
                records = [member.record for member in read_members(bench.store, customer)]
                changes += bench.give(entity(records, customer, epochs))
        for change in changes:
            assert change.version == versions.get(change.customer_id, 0) + 1
            versions[change.customer_id] = change.version
            values = held.setdefault(change.customer_id, {})
            if change.status != "active":
                values.clear()
                continue
            for each in change.changes:
                assert values.get(each.attribute) == each.before
                values[each.attribute] = each.after
