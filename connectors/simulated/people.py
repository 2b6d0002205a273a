"""The truth: persons, organizations and addresses as they really are, before any system has heard of them."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import NamedTuple

from connectors.simulated import rates
from connectors.simulated.chance import skewed
from connectors.simulated.corruption import plain
from connectors.simulated.countries import Country, landline, mobile, national_id, passport, postcode, registration, tax_id
from connectors.simulated.pools import Pool

_MAILBOXES = ("postbox.example", "mail.example", "inbox.example", "webmail.example", "letters.example")
_TRADES = (
    "Logistics",
    "Foods",
    "Systems",
    "Motors",
    "Design",
    "Energy",
    "Media",
    "Tools",
    "Travel",
    "Textiles",
    "Optics",
    "Labs",
)
_OLDEST, _YOUNGEST = date(1936, 1, 1).toordinal(), date(2005, 12, 28).toordinal()


class Address(NamedTuple):
    unit: str | None
    house: str
    street: str
    city: str
    region: str | None
    postcode: str | None
    country: str  # ISO 3166 alpha-2


class Person:
    """A person as of now; `life` changes it in place when something happens."""

    __slots__ = (
        "address", "birth", "country", "email", "family", "given", "landline", "male", "middle", "mobile", "mobile_before",
        "national_id", "needs_apart", "passport", "second_email", "shared_email", "shared_mobile", "suffix", "tax_id",
    )  # fmt: skip

    def __init__(self, country: Country, male: bool, given: str, family: str, birth: str, address: Address) -> None:
        self.country = country
        self.male = male
        self.given = given
        self.middle: str | None = None
        self.family = family
        self.suffix: str | None = None
        self.birth = birth
        self.address = address
        self.mobile = ""
        self.landline: str | None = None
        self.email = ""
        self.second_email: str | None = None
        self.passport = ""
        self.national_id = ""
        self.tax_id = ""
        self.shared_email: str | None = None  # another member's, typed by mistake or convenience
        self.shared_mobile: str | None = None
        self.needs_apart = False  # somebody of the same name lives at the same address


class Site(NamedTuple):
    address: Address
    phone: str


class Organization(NamedTuple):
    country: Country
    name: str  # without the legal form
    legal_form: tuple[str, str]  # short and long
    registration: str
    tax_id: str
    domain: str
    switchboard: str
    sites: tuple[Site, ...]


class Serials:
    """Running numbers, per purpose: what makes numbers unique with constant memory."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def __call__(self, purpose: str) -> int:
        number = self._next.get(purpose, 0) + 1
        self._next[purpose] = number
        return number


class Registry:
    """Makes people, companies and addresses of one country out of its pool."""

    def __init__(self, pool: Pool, rng: Random, serials: Serials) -> None:
        self.pool = pool
        self.country = pool.country
        self._rng = rng
        self._serials = serials

    def address(self) -> Address:
        rng, pool = self._rng, self.pool
        place = pool.places[int(len(pool.places) * rng.random())]
        street = int(len(pool.streets) * rng.random())
        house = str(1 + int(140 * rng.random() ** 1.5))
        unit = self._unit() if rng.random() < rates.FLATS else None
        code = postcode(self.country, place.prefix, street)
        return Address(unit, house, pool.streets[street], place.city, place.region, code, self.country.code)

    def _unit(self) -> str:
        number = 1 + int(30 * self._rng.random())
        word = {"US": "Apt", "DE": "Whg.", "FR": "Appt", "ES": "Piso"}.get(self.country.code, "Flat")
        return f"{word} {number}"

    def given(self, male: bool) -> str:
        return skewed(self._rng, self.pool.male if male else self.pool.female, 1.5)

    def family(self) -> str:
        name = skewed(self._rng, self.pool.families, 1.8)
        if self.country.code == "ES":
            return f"{name} {skewed(self._rng, self.pool.families, 1.8)}"
        return name

    def birth(self, earliest: int = _OLDEST, latest: int = _YOUNGEST) -> str:
        return date.fromordinal(earliest + int((latest - earliest) * self._rng.random())).isoformat()

    def person(
        self, address: Address, family: str | None = None, male: bool | None = None, birth: str | None = None
    ) -> Person:
        rng = self._rng
        is_male = rng.random() < 0.5 if male is None else male
        person = Person(self.country, is_male, self.given(is_male), family or self.family(), birth or self.birth(), address)
        if rng.random() < rates.MIDDLE_NAMES:
            person.middle = self.given(is_male)
        self.identify(person)
        return person

    def identify(self, person: Person) -> None:
        """Give a person its own numbers and mailboxes."""
        country, serial = self.country, self._serials(f"person {self.country.code}")
        person.mobile = mobile(country, self._serials(f"mobile {country.code}"))
        person.passport = passport(country, serial)
        person.national_id = national_id(country, serial)
        person.tax_id = tax_id(serial)
        person.email = self.email(person)
        person.second_email = self.email(person) if self._rng.random() < rates.TWO_EMAILS else None

    def mobile(self) -> str:
        return mobile(self.country, self._serials(f"mobile {self.country.code}"))

    def landline(self) -> str:
        return landline(self.country, self._serials(f"landline {self.country.code}"))

    def email(self, person: Person) -> str:
        """A mailbox nobody else has: the running number in it sees to that."""
        rng = self._rng
        given, family, number = plain(person.given), plain(person.family), self._serials("email")
        style = rng.random()
        if style < 0.4:
            local = f"{given}.{family}{number}"
        elif style < 0.6:
            local = f"{given[:1]}{family}{number}"
        elif style < 0.75:
            local = f"{given}{number}"
        elif style < 0.9:
            local = f"{family}.{given[:1]}{number}"
        else:
            local = f"{skewed(rng, _NICKS, 1.0)}{number}"
        return f"{local}@{_MAILBOXES[int(len(_MAILBOXES) * rng.random())]}"

    def organization(self, sites: int) -> Organization:
        rng, country = self._rng, self.country
        serial = self._serials(f"company {country.code}")
        name = f"{skewed(rng, self.pool.families, 1.0)} {_TRADES[int(len(_TRADES) * rng.random())]}"
        return Organization(
            country=country,
            name=name,
            legal_form=country.legal_forms[int(len(country.legal_forms) * rng.random())],
            registration=registration(country, serial),
            tax_id=tax_id(500_000_000 + serial),
            domain=f"{plain(name)}{serial}.example",
            switchboard=self.landline(),
            sites=tuple(Site(self.address(), self.landline()) for _ in range(sites)),
        )


_NICKS = ("sunny", "rover", "bluebird", "captain", "pixel", "gardener", "nightowl", "drummer", "goalie", "reader")
