"""A customer whose members are not those that identity expects asks for what it lacks, once that has lasted.

Nothing is lacking for long unless a message has ended as a dead letter somewhere: processors answer one another in seconds.
While a customer is unsettled nothing of it is published, so it must not stay so.
"""

from __future__ import annotations

from itertools import islice

import msgspec

from schemas.asking import pause_ms
from schemas.messages import (
    CUSTOMERS,
    IDENTITY,
    CustomersInbox,
    IdentityInbox,
    Restate,
    RestateMembers,
    Sweep,
    Tick,
    ViewDue,
)
from schemas.topics import CUSTOMERS as CUSTOMERS_TOPIC
from schemas.topics import IDENTITY as IDENTITY_TOPIC
from streams.customers.rows import (
    CUSTOMER_ROW,
    TALLIES,
    TALLY_KEY,
    CustomerRow,
    Tally,
    customer_key,
    customers_after,
    read_members,
    read_row,
    some_of,
)
from streams.engine.contract import Message, Outbox, Store
from streams.engine.due import cancel, schedule, take_due

CUSTOMERS_A_TICK = 100
CUSTOMERS_A_SWEEP = 200
"""Customers looked at for one message: some ten milliseconds of work."""

MEMBERS_A_MESSAGE = 500


def watch(customer: str, row: CustomerRow, now: int, store: Store) -> None:
    """Have a customer ask after a while if it is not settled, and no more once it is."""
    if row.settled:
        if row.ask_at:
            cancel(store, row.ask_at, customer.encode())
            _count(store, -1, -int(row.asked > 0))
            row.ask_at = row.asked = 0
    elif not row.ask_at:
        row.ask_at = now + pause_ms(0)
        schedule(store, row.ask_at, customer.encode())
        _count(store, 1, 0)


def on_tick(tick: Tick, message: Message, store: Store, out: Outbox) -> None:
    """Those whose time has come ask; everything: all that are not settled."""
    for name in take_due(store, tick.time, CUSTOMERS_A_TICK):
        _ask(name.decode(), tick.time, store, out)
    if tick.everything:
        _send_on(Sweep(time=tick.time), message, out)


def on_sweep(sweep: Sweep, message: Message, store: Store, out: Outbox) -> None:
    """The next customers ask, if they are not settled."""
    customers = list(islice(customers_after(store, sweep.after), CUSTOMERS_A_SWEEP))
    for customer in customers:
        _ask(customer, sweep.time, store, out)
    if len(customers) == CUSTOMERS_A_SWEEP:
        _send_on(msgspec.structs.replace(sweep, after=customers[-1]), message, out)


def _ask(customer: str, now: int, store: Store, out: Outbox) -> None:
    row = read_row(store, customer)
    if row is None:
        return
    if row.settled:
        if row.due_at:  # its publication waits for a message, which may be lost
            out.send(CUSTOMERS_TOPIC, customer.encode(), CUSTOMERS.encode(ViewDue(customer=customer)))
        return
    if row.ask_at:
        cancel(store, row.ask_at, customer.encode())
    _count(store, int(not row.ask_at), int(not row.asked))
    row.asked += 1
    row.ask_at = now + pause_ms(row.asked)
    schedule(store, row.ask_at, customer.encode())
    store.put(customer_key(customer), CUSTOMER_ROW.encode(row))
    held = None if row.members is None else tuple(row.members)
    _tell(Restate(realm=row.realm, customer=customer, epoch=row.epoch, held=held), row, out)
    if held is None:
        names = some_of(frozenset()).decode
        members = (member.record for member in read_members(store, customer, None, names))
        while some := tuple(islice(members, MEMBERS_A_MESSAGE)):
            _tell(RestateMembers(realm=row.realm, customer=customer, held=some), row, out)


def _tell(asks: IdentityInbox, row: CustomerRow, out: Outbox) -> None:
    out.send(IDENTITY_TOPIC, row.realm.encode(), IDENTITY.encode(asks))


def _send_on(note: CustomersInbox, message: Message, out: Outbox) -> None:
    out.send_to(message.topic, message.partition, None, CUSTOMERS.encode(note))


def _count(store: Store, unsettled: int, asking: int) -> None:
    found = store.get(TALLY_KEY)
    tally = TALLIES.decode(found) if found else Tally()
    tally.unsettled += unsettled
    tally.asking += asking
    store.put(TALLY_KEY, TALLIES.encode(tally))
