"""The events of the engine workload: JSON of 176 bytes over many keys, and what merging them by key must give.

Event number n depends on n alone, so every contender gets the same input and the expected result needs no broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import msgspec

EVENT_BYTES = 176
EVENTS_PER_KEY = 4
_SEED = 20_240_229
_START_MS = 1_700_000_000_000
_encode = msgspec.json.Encoder().encode
_PLANS = ("fibre-100", "fibre-500", "mobile-5g", "prepaid-s")
_CITIES = ("Lisbon", "Tallinn", "Utrecht", "Galway")


class Event(NamedTuple):
    """One input message."""

    key: bytes
    value: bytes


class Merged(NamedTuple):
    """What the rows of the state must be in the end: how many events a key had, and their fields merged in order."""

    number: int  # of events
    fields: dict[str, object]


def events(number: int) -> Iterator[Event]:
    """`number` events over a quarter as many keys, drawn evenly: a key has four events on average."""
    keys = max(1, number // EVENTS_PER_KEY)
    rng = Random(_SEED)  # noqa: S311  # nothing secret
    for n in range(number):
        customer = rng.randrange(keys)
        yield Event(b"customer-%07d" % customer, _document(n, customer))


def expected(number: int) -> dict[bytes, Merged]:
    """The final row of each key: later fields replace earlier ones."""
    rows: dict[bytes, Merged] = {}
    for key, value in events(number):
        count, fields = rows.get(key, Merged(0, {}))
        rows[key] = Merged(count + 1, {**fields, **msgspec.json.decode(value)})
    return rows


def _document(n: int, customer: int) -> bytes:
    document = {
        "customer": f"customer-{customer:07d}",
        "sequence": n,
        "at": _START_MS + n,
        "status": "active" if n % 7 else "suspended",
        **_part(n, customer),
        "note": "",
    }
    missing = EVENT_BYTES - len(_encode(document))
    document["note"] = "x" * missing
    return _encode(document)


def _part(n: int, customer: int) -> dict[str, object]:
    """Each event tells one part of the customer, so that rows grow to the union of several events."""
    match n % 4:
        case 0:
            return {"email": f"c{customer}@example.org"}
        case 1:
            return {"city": _CITIES[n % 3], "house": n % 200}
        case 2:
            return {"plan": _PLANS[n % 3], "price": n % 90}
        case _:
            return {"balance": n % 1_000, "currency": "EUR"}
