"""Source events of a handful of people: records that belong together, then moves, mix-ups, corrections and deletes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from msgspec import UNSET

from schemas.canonical import Account, Address, Attributes, Email, Name, Phone
from schemas.messages import Cause, Order, SourceChange

REALMS = ("north", "south")
SOURCES = ("crm", "billing", "selfcare")
START_MS = 1_690_000_000_000
EVENTS = 36


class Person(NamedTuple):
    given: str
    family: str
    birth: str
    email: str
    phone: str
    house: str


PEOPLE = (
    Person("Ada", "Featherstone", "1971-03-02", "ada@featherstone.example", "+441632960001", "1"),
    Person("Bruno", "Okonkwo", "1985-11-23", "bruno.okonkwo@mail.example", "+441632960002", "22"),
    Person("Chiara", "Vandermeer", "1990-07-14", "chiara@vandermeer.example", "+441632960003", "303"),
)


class _Record:
    """One source record: whose it says it is, and its place in the order."""

    def __init__(self, key: str, person: Person) -> None:
        self.key = key
        self.person = person
        self.sequence = 0


def changes(random: Random) -> Iterator[SourceChange]:
    """In the order of arrival: some late, some twice."""
    records = [
        _Record(f"{realm}/{source}/{number}", person)
        for realm in REALMS
        for number, person in enumerate(PEOPLE)
        for source in random.sample(SOURCES, random.randrange(1, 4))
    ]
    random.shuffle(records)
    events = [_said(record, random, record.person) for record in records]
    while len(events) < EVENTS:
        record = random.choice(records)
        person = random.choice(PEOPLE) if random.random() < 0.3 else record.person
        events.append(_said(record, random, person))
    for _ in range(4):
        events.insert(random.randrange(len(events)), random.choice(events))
    yield from events


def _said(record: _Record, random: Random, person: Person) -> SourceChange:
    """The record's next event: it speaks of `person`."""
    record.sequence += 1
    kind = random.random()
    time = START_MS + record.sequence * 1000
    order = Order("seq", (record.sequence,))
    cause = Cause(f"{record.key.split('/')[1]}/0/{record.sequence}", time)
    if record.sequence > 1 and kind < 0.12:
        return SourceChange(record=record.key, operation="delete", order=order, attributes=Attributes(), cause=cause)
    if record.sequence > 1 and kind < 0.45:
        return SourceChange(
            record=record.key, operation="patch", order=order, attributes=_patch(random, person), cause=cause
        )
    return SourceChange(record=record.key, operation="snapshot", order=order, attributes=_whole(random, person), cause=cause)


def _whole(random: Random, person: Person) -> Attributes:
    return Attributes(
        kind="individual",
        names=[Name(given=person.given, family=person.family)],
        birth_date=person.birth,
        emails=[Email(value=person.email)],
        phones=[Phone(value=person.phone)],
        addresses=[Address(house=person.house, street="Long Lane", locality="Leeds", postcode="LS1 4AP", country="GB")],
        accounts=[Account(id=f"a{random.randrange(50)}", status="open")],
    )


def _patch(random: Random, person: Person) -> Attributes:
    """Half of them touch nothing identity looks at."""
    if random.random() < 0.5:
        return Attributes(characteristics={f"k{random.randrange(3)}": f"{random.randrange(9)}"}, status="active")
    return Attributes(
        emails=[Email(value=person.email)],
        phones=[Phone(value=person.phone)],
        birth_date=person.birth if random.random() < 0.5 else UNSET,
    )
