"""Who lives with whom: groups of customers whose records are easily taken for one another's."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from connectors.simulated import rates
from connectors.simulated.chance import Choice
from connectors.simulated.people import Organization, Person, Registry, Serials
from connectors.simulated.pools import Pool

NORTH, SOUTH = "north", "south"
_SHOP_CUSTOMERS = 3_000  # a shop serves so many customers of its country before its phone number changes
_DAYS_A_YEAR = 365


class Subject(NamedTuple):
    """One customer in truth."""

    realm: str
    person: Person | None
    organization: Organization | None
    kind: str  # of the group it came with, a key of `rates.GROUPS`


class Population:
    """Founds one group after another; remembers only numbers given up and the shops' phones."""

    def __init__(self, pools: Mapping[str, Pool], rng: Random, serials: Serials) -> None:
        self._rng = rng
        self._registries = {code: Registry(pool, rng, serials) for code, pool in pools.items()}
        self._country = Choice(rates.COUNTRIES)
        self._group = Choice(rates.GROUPS)
        self._sites = Choice({str(sites): share for sites, share in enumerate(rates.SITES, start=1)})
        self._given_up: dict[tuple[str, str], deque[tuple[int, str]]] = {}
        self._shops: dict[tuple[str, str], tuple[int, str]] = {}

    def found(self, now: int) -> list[Subject]:
        """The customers of a new group; `now` is when the first appears, ms."""
        rng = self._rng
        registry = self._registries[self._country(rng)]
        realm = SOUTH if rng.random() < rates.SOUTH else NORTH
        kind = self._group(rng)
        if kind == "organization":
            return [Subject(realm, None, self._organization(registry), kind)]
        people = self._people(kind, registry)
        self._recycle(people[0], realm, now)
        if kind == "both_brands":
            return [Subject(NORTH, people[0], None, kind), Subject(SOUTH, people[1], None, kind)]
        return [Subject(realm, person, None, kind) for person in people]

    def give_up(self, realm: str, person: Person, now: int) -> None:
        """The person takes a new mobile; the old number waits for another customer."""
        waiting = self._given_up.setdefault((realm, person.country.code), deque(maxlen=rates.RECYCLE_WAITING))
        waiting.append((now, person.mobile))
        person.mobile = self._registries[person.country.code].mobile()

    def registry(self, person: Person) -> Registry:
        return self._registries[person.country.code]

    def shop_phone(self, realm: str, country: str, index: int) -> str:
        """What a shop assistant types who has no number of the customer."""
        period = index // _SHOP_CUSTOMERS
        known = self._shops.get((realm, country))
        if known is None or known[0] != period:
            known = (period, self._registries[country].landline())
            self._shops[realm, country] = known
        return known[1]

    def _recycle(self, person: Person, realm: str, now: int) -> None:
        waiting = self._given_up.get((realm, person.country.code))
        if waiting and waiting[0][0] < now and self._rng.random() < rates.RECYCLED:
            person.mobile = waiting.popleft()[1]

    def _organization(self, registry: Registry) -> Organization:
        sites = self._sites(self._rng)
        return registry.organization(int(sites))

    def _people(self, kind: str, registry: Registry) -> list[Person]:
        people = getattr(self, f"_{kind}")(registry)
        assert isinstance(people, list)
        if self._rng.random() < rates.HOUSEHOLD_LANDLINE:
            phone = registry.landline()
            for person in people:
                person.landline = phone
        return people

    def _single(self, registry: Registry) -> list[Person]:
        return [registry.person(registry.address())]

    def _couple(self, registry: Registry) -> list[Person]:
        rng = self._rng
        first = registry.person(registry.address(), male=True)
        family = first.family if rng.random() < rates.SAME_SURNAME else None
        second = registry.person(first.address, family, male=False, birth=self._near(registry, first.birth))
        if rng.random() < rates.HOUSEHOLD_EMAIL:
            second.email = first.email
        if rng.random() < rates.HOUSEHOLD_MOBILE:
            second.mobile = first.mobile
        self._share(first, second)
        self._share(second, first)
        return [first, second]

    def _family(self, registry: Registry) -> list[Person]:
        parents = self._couple(registry)
        child = registry.person(parents[0].address, parents[0].family, birth=self._later(registry, parents[0].birth))
        self._share(child, parents[1])
        return [*parents, child]

    def _namesakes(self, registry: Registry) -> list[Person]:
        rng = self._rng
        father = registry.person(registry.address(), male=True)
        son = registry.person(father.address, father.family, male=True, birth=self._later(registry, father.birth))
        son.given = father.given
        son.email = registry.email(son)
        son.second_email = None
        if rng.random() < rates.SUFFIXES:
            father.suffix, son.suffix = "Sr", "Jr"
        father.needs_apart = son.needs_apart = True
        return [father, son]

    def _twins(self, registry: Registry) -> list[Person]:
        first = registry.person(registry.address())
        second = registry.person(first.address, first.family, birth=first.birth)
        while second.given[:1] == first.given[:1]:
            second.given = registry.given(second.male)
        second.email = registry.email(second)
        return [first, second]

    def _flatmates(self, registry: Registry) -> list[Person]:
        address = registry.address()
        return [registry.person(address), registry.person(address)]

    def _both_brands(self, registry: Registry) -> list[Person]:
        person = registry.person(registry.address())
        again = Person(person.country, person.male, person.given, person.family, person.birth, person.address)
        for fact in ("middle", "mobile", "email", "second_email", "passport", "national_id", "tax_id"):
            setattr(again, fact, getattr(person, fact))
        return [person, again]

    def _share(self, person: Person, with_whom: Person) -> None:
        person.shared_email, person.shared_mobile = with_whom.email, with_whom.mobile

    def _near(self, registry: Registry, birth: str) -> str:
        """The birth date of somebody within six years."""
        year = int(birth[:4])
        return registry.birth(_ordinal(max(year - 6, 1936)), _ordinal(min(year + 6, 2005)))

    def _later(self, registry: Registry, birth: str) -> str:
        """The birth date of a child."""
        year = int(birth[:4])
        return registry.birth(_ordinal(min(year + 20, 2003)), _ordinal(min(year + 40, 2005)))


def _ordinal(year: int) -> int:
    """The first day of a year, as `date.toordinal` counts."""
    before = year - 1
    return before * _DAYS_A_YEAR + before // 4 - before // 100 + before // 400 + 1
