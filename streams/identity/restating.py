"""What identity said, said again: to a customer that is not as expected, and of a record that has no answer.

A repetition has the sequence, or the epoch, of the newest there is, so it changes nothing for whoever knows that one;
`records` answers it with the record's whole content. It may be asked for at any time and as often as one likes.
"""

from __future__ import annotations

from itertools import islice

import msgspec

from schemas import topics
from schemas.messages import (
    CUSTOMERS,
    IDENTITY,
    RECORDS,
    Cause,
    EntityChanged,
    Grown,
    MembershipChanged,
    Restate,
    RestateMembers,
)
from streams.engine.contract import Outbox
from streams.identity.desk import Desk
from streams.identity.ledger import aliases_sent
from streams.identity.matcher import F
from streams.identity.members import members
from streams.identity.rows import CustomerRow

MEMBERS_A_MESSAGE = 500
"""Memberships repeated for one message."""

NO_EVENT = Cause("", 0)


def restate(asked: Restate, desk: Desk[F], out: Outbox) -> None:
    """What is expected of a customer, and its memberships: all, or those it lacks and those it should not have."""
    page = desk.find_customer(asked.customer)
    if asked.after is None:
        _tell_customer(asked, page, desk, out)
        restate_members(RestateMembers(realm=asked.realm, customer=asked.customer, held=asked.held or ()), desk, out)
    if page is None:
        return
    held = frozenset(asked.held or ())
    some = list(islice(members(desk.store, desk.keys, asked.customer, page, asked.after), MEMBERS_A_MESSAGE))
    for record in some:
        if f"{desk.name}/{record}" not in held:
            _repeat(record, NO_EVENT, desk, out)
    if len(some) == MEMBERS_A_MESSAGE:
        on = msgspec.structs.replace(asked, after=desk.record(some[-1]).tenure)
        out.send(topics.IDENTITY, desk.name.encode(), IDENTITY.encode(on))


def restate_members(asked: RestateMembers, desk: Desk[F], out: Outbox) -> None:
    """Where the records are now that a customer should not have."""
    for key in asked.held:
        record = key.partition("/")[2]
        row = desk.find_record(record)
        if row is None or row.customer != asked.customer:
            _repeat(record, NO_EVENT, desk, out, asked=asked.customer)


def restate_record(record: str, cause: Cause, desk: Desk[F], out: Outbox) -> None:
    """The membership of a record that is known here, and what is expected of its customer."""
    customer = desk.record(record).customer
    grown = None
    if customer:
        page = desk.customer(customer)
        grown = Grown(page.epoch, page.count, page.digest, aliases_sent(desk, customer, page))
    _repeat(record, cause, desk, out, grown=grown)


def _repeat(
    record: str, cause: Cause, desk: Desk[F], out: Outbox, *, asked: str | None = None, grown: Grown | None = None
) -> None:
    row = desk.find_record(record)
    key = f"{desk.name}/{record}"
    membership = MembershipChanged(
        record=key,
        sequence=row.sequence if row is not None else 0,
        customer=(row.customer or None) if row is not None else None,
        cause=cause,
        grown=grown,
        again=True,
        asked=asked,
    )
    out.send(topics.RECORDS, key.encode(), RECORDS.encode(membership))


def _tell_customer(asked: Restate, page: CustomerRow | None, desk: Desk[F], out: Outbox) -> None:
    """An id that is not known has no members, whatever it was told before."""
    if page is None:
        page = CustomerRow(ordinal=0, anchor="", answers=asked.customer, epoch=asked.epoch + 1)
    expected = EntityChanged(
        customer=asked.customer,
        realm=desk.name,
        epoch=page.epoch,
        count=page.count,
        digest=page.digest,
        aliases=aliases_sent(desk, asked.customer, page),
        merged_into=None if page.answers == asked.customer else page.answers,
        cause=NO_EVENT,
    )
    out.send(topics.CUSTOMERS, asked.customer.encode(), CUSTOMERS.encode(expected))
