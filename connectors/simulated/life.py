"""What happens: records appear in system after system, people move, marry, change numbers, and some systems hear of it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple, TypeAlias

from connectors.simulated import rates
from connectors.simulated.capture import Clerk, Held
from connectors.simulated.households import Population, Subject
from connectors.simulated.people import Organization, Person, Serials
from connectors.simulated.records import ADDRESS, BIRTH, EMAIL, MOBILE, NAME, SystemRecord
from connectors.simulated.systems import BillingRecord, CrmRecord, OrdersRecord, PartnerRecord, SelfcareRecord

_HOUR = 3_600_000
_YEARS_MS = 8 * 365 * 24 * _HOUR  # records were first created up to so long ago, as the CRM and billing say
# When things happen, counted from the customer's arrival; with the latest delivery all of it is within rates.LIFE_MS.
_CHANGES_UNTIL = 72 * _HOUR
_HEARD_WITHIN = 12 * _HOUR
_ROUTINE_UNTIL = 96 * _HOUR
_DELETED_AT = 100 * _HOUR

Act: TypeAlias = Callable[[int], object]


class Story(NamedTuple):
    """One customer in truth, and all its records with all they published."""

    realm: str
    cluster: str
    kind: str  # of the group it came with, a key of `rates.GROUPS`
    records: list[SystemRecord]


class World(NamedTuple):
    """What all stories share."""

    population: Population
    clerk: Clerk
    serials: Serials
    rng: Random
    snapshot: int  # the first so many customers are snapshot rows of the CRM


class Life:
    """One customer's story in the making: acts planned ahead, done in order of time."""

    def __init__(self, world: World, subject: Subject, index: int, arrival: int) -> None:
        self._world = world
        self._rng = world.rng
        self._clerk = world.clerk
        self._subject = subject
        self._index = index
        self._arrival = arrival
        self._plan: list[tuple[int, int, Act]] = []
        self._planned = 0
        self._records: list[SystemRecord] = []

    def tell(self) -> Story:
        """The whole story. Call once."""
        if self._subject.person is not None:
            self._plan_person(self._subject.person)
        if self._subject.organization is not None:
            self._plan_organization(self._subject.organization)
        while self._plan:
            time, _, act = heapq.heappop(self._plan)
            act(time)
        realm = self._subject.realm
        return Story(realm, f"{realm}-{self._index:07d}", self._subject.kind, self._records)

    def _at(self, time: int, act: Act) -> None:
        self._planned += 1  # what happens at one instant happens in the order it was planned
        heapq.heappush(self._plan, (time, self._planned, act))

    def _between(self, start: int, end: int) -> int:
        return start + int((end - start) * self._rng.random())

    def _some_time_after(self, now: int) -> int:
        return self._between(now + 60_000, self._arrival + _ROUTINE_UNTIL)

    # --- a person's records ----------------------------------------------------------------------------------------------

    def _plan_person(self, person: Person) -> None:
        rng, arrival = self._rng, self._arrival
        sources = [source for source, share in rates.HOLDS.items() if rng.random() < share] or ["crm"]
        sources += [source for source in sources if rng.random() < rates.TWICE[source]]
        for place, source in enumerate(sources):
            time = arrival if place == 0 else self._between(arrival, arrival + rates.JOINING_MS)
            self._at(time, partial(self._join, person, source))
        for share, happen in (
            (rates.MOVES, self._move),
            (0.0 if person.male else rates.MARRIES, self._marry),
            (rates.NEW_MOBILE, self._new_mobile),
            (rates.NEW_EMAIL, self._new_email),
        ):
            if rng.random() < share:
                self._at(self._between(arrival + rates.JOINING_MS, arrival + _CHANGES_UNTIL), partial(happen, person))

    def _join(self, person: Person, source: str, now: int) -> None:
        """A system learns of the person; some of what it got wrong or lacks is put right later."""
        shop = self._world.population.shop_phone(self._subject.realm, person.country.code, self._index)
        record = self._open(source, self._clerk.person(person, source, shop), now)
        rng, held = self._rng, record.held
        if source == "crm" and held.wrong_name and rng.random() < rates.CORRECTED:
            self._at(self._some_time_after(now), partial(self._retake_name, person, True, record))
        if source in {"crm", "selfcare"} and held.birth is None and rng.random() < rates.COMPLETED:
            self._at(self._some_time_after(now), partial(self._complete, person, record))

    # --- what happens to a person ----------------------------------------------------------------------------------------

    def _move(self, person: Person, now: int) -> None:
        person.address = self._world.population.registry(person).address()
        self._tell_systems(now, "address", partial(self._retake_address, person))

    def _marry(self, person: Person, now: int) -> None:
        person.family = self._world.population.registry(person).family()
        self._tell_systems(now, "family", partial(self._retake_name, person, False))

    def _new_mobile(self, person: Person, now: int) -> None:
        self._world.population.give_up(self._subject.realm, person, now)
        self._tell_systems(now, "mobile", partial(self._retake_mobile, person))

    def _new_email(self, person: Person, now: int) -> None:
        person.email = self._world.population.registry(person).email(person)
        self._tell_systems(now, "email", partial(self._retake_email, person))

    def _tell_systems(self, now: int, fact: str, retake: Callable[[SystemRecord, int], None]) -> None:
        """Some of the systems that hold this fact hear of the new one, hours later."""
        for record in self._records:
            if getattr(record.held, fact) is not None and self._rng.random() < rates.HEARS[record.source]:
                self._at(self._between(now, now + _HEARD_WITHIN), partial(retake, record))

    # --- and how a record takes it ---------------------------------------------------------------------------------------

    def _retake_name(self, person: Person, clean: bool, record: SystemRecord, now: int) -> None:
        self._clerk.take_name(record.held, person, record.source, clean=clean)
        record.change(now, NAME)

    def _retake_address(self, person: Person, record: SystemRecord, now: int) -> None:
        self._clerk.take_address(record.held, person.address)
        record.change(now, ADDRESS)

    def _retake_mobile(self, person: Person, record: SystemRecord, now: int) -> None:
        self._clerk.take_mobile(record.held, person)
        record.change(now, MOBILE)

    def _retake_email(self, person: Person, record: SystemRecord, now: int) -> None:
        self._clerk.take_email(record.held, person)
        record.change(now, EMAIL)

    def _complete(self, person: Person, record: SystemRecord, now: int) -> None:
        self._clerk.take_birth(record.held, person)
        record.change(now, BIRTH)

    # --- organizations ---------------------------------------------------------------------------------------------------

    def _plan_organization(self, organization: Organization) -> None:
        rng, arrival = self._rng, self._arrival
        for number, site in enumerate(organization.sites):
            sources = [source for source, share in rates.SITE_HOLDS.items() if rng.random() < share]
            if number == 0 and not sources:
                sources = ["crm"]
            for source in sources:
                held = self._clerk.site(organization, site, source)
                self._at(self._between(arrival, arrival + rates.JOINING_MS), partial(self._open, source, held))

    # --- records of both -------------------------------------------------------------------------------------------------

    def _open(self, source: str, held: Held, now: int) -> SystemRecord:
        record = self._new_record(source, held, now)
        record.create(now)
        self._records.append(record)
        rng = self._rng
        if rng.random() < rates.ROUTINE[source]:
            self._at(self._some_time_after(now), partial(record.routine, choice=rng.random()))
        if rng.random() < rates.DELETED[source]:
            self._at(self._arrival + _DELETED_AT, record.delete)
        return record

    def _new_record(self, source: str, held: Held, now: int) -> SystemRecord:
        number, brand = self._world.serials(source), self._subject.realm
        since = now - int(_YEARS_MS * self._rng.random())
        if source == "crm":
            return CrmRecord(number, brand, held, since, snapshot=self._index < self._world.snapshot)
        if source == "billing":
            held.crm_number = self._crm_number(held)
            return BillingRecord(number, brand, held, since)
        if source == "orders":
            return OrdersRecord(number, brand, held)
        if source == "selfcare":
            return SelfcareRecord(number, brand, held)
        return PartnerRecord(number, brand, held, since)

    def _crm_number(self, held: Held) -> str | None:
        """The CRM's number of this customer: of the record with the same address, where there is one."""
        known = [record for record in self._records if record.source == "crm"]
        if not known or self._rng.random() >= rates.CRM_REFERENCE:
            return None
        return min(known, key=lambda record: _city(record.held) != _city(held)).record_id


def _city(held: Held) -> str | None:
    return held.address.city if held.address else None
