"""The customers of a partition, some at a time: a long work that goes on by messages to itself.

In the order of the inbox, each is looked at once: what is published of it again is what is held at that moment, and whatever
changes it later is published after that.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.messages import CUSTOMERS, Republish
from schemas.topics import CUSTOMERS as CUSTOMERS_TOPIC
from streams.customers.rows import CUSTOMER_ROW, CustomerRow
from streams.engine.contract import Outbox, Store

ROWS = 1_000
BYTES = 4 << 20
"""Looked at for one message: some tens of milliseconds, so that other messages of the partition come in between."""


def customers_after(asked: Republish, store: Store, out: Outbox) -> Iterator[tuple[str, CustomerRow]]:
    """Customers with their rows, from where `asked` stands; sends itself the message to go on, if there are more."""
    rows: list[tuple[str, CustomerRow]] = []
    count = size = 0
    for key, value in store.scan(b"", asked.after or None):
        customer, _, what = key.partition(b"/")
        if what == b"c":
            rows.append((customer.decode(), CUSTOMER_ROW.decode(value)))
        count, size = count + 1, size + len(value)
        if (count >= ROWS or size > BYTES) and (what == b"c" or what.startswith(b"m/")):  # of a customer of the partition
            out.send(CUSTOMERS_TOPIC, customer, CUSTOMERS.encode(Republish(after=key)))
            break
    yield from rows
