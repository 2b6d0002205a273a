"""How a fact becomes what a record says: a clerk, a form or a scanner takes it down, not always correctly."""

from __future__ import annotations

from random import Random

from connectors.simulated import corruption, rates
from connectors.simulated.chance import Choice
from connectors.simulated.countries import COUNTRIES, Country
from connectors.simulated.people import Address, Organization, Person, Site
from connectors.simulated.wordlists import short_forms

JUNK_EMAILS = ("test@test.com", "noemail@noemail.com", "none@none.com", "n/a")
JUNK_PHONES = ("0000000000", "1111111111", "0123456789")
JUNK_BIRTH = "1900-01-01"


class Held:
    """What one record says. None is empty; phones are E.164 or junk as typed; `style` is how this system's clerk writes."""

    __slots__ = (
        "address", "birth", "country", "crm_number", "email", "family", "given", "landline", "male", "middle", "mobile",
        "national_id", "nickname", "organization", "passport", "registration", "style", "suffix", "tax_id", "title",
        "wrong_name",
    )  # fmt: skip

    def __init__(self, country: Country, style: int) -> None:
        self.country = country
        self.style = style
        self.organization: str | None = None
        self.registration: str | None = None
        self.title: str | None = None
        self.given: str | None = None
        self.middle: str | None = None
        self.family: str | None = None
        self.suffix: str | None = None
        self.nickname: str | None = None
        self.male: bool | None = None
        self.birth: str | None = None
        self.email: str | None = None
        self.mobile: str | None = None
        self.landline: str | None = None
        self.address: Address | None = None
        self.passport: str | None = None
        self.national_id: str | None = None
        self.tax_id: str | None = None
        self.crm_number: str | None = None
        self.wrong_name = False


class Clerk:
    """Takes facts down for one system after another, with the error rates of each."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._short_forms = {code: short_forms(country.locale[:2]) for code, country in COUNTRIES.items()}
        self._legal_form = Choice(rates.LEGAL_FORM)

    def person(self, person: Person, source: str, shop_phone: str) -> Held:
        """A new record of a person, filled as this system usually is."""
        rng, filled = self._rng, rates.FILLED[source]
        held = Held(person.country, int(64 * rng.random()))
        self.take_name(held, person, source)
        if rng.random() < filled.get("birth", 0.0):
            self.take_birth(held, person)
        if rng.random() < filled.get("email", 0.0):
            self.take_email(held, person)
        if rng.random() < filled.get("mobile", 0.0):
            self.take_mobile(held, person)
        if person.landline and rng.random() < filled.get("landline", 0.0):
            held.landline = self._phone(person.landline)
        if rng.random() < rates.SHOP_PHONE[source]:
            held.landline = shop_phone
            held.mobile = None if rng.random() < rates.SHOP_PHONE_ONLY else held.mobile
        if rng.random() < filled.get("address", 0.0):
            self.take_address(held, person.address)
        self._take_identifications(held, person, filled)
        self._make_reachable(held, person, source)
        return held

    def site(self, organization: Organization, site: Site, source: str) -> Held:
        """A new record of one site of an organization."""
        rng, filled = self._rng, rates.FILLED[source]
        held = Held(organization.country, int(64 * rng.random()))
        held.organization = self._organization_name(organization)
        if rng.random() < rates.REGISTRATION.get(source, 0.0):
            held.registration = self._identification(organization.registration)
        if rng.random() < filled.get("email", 0.0):
            box = ("office", "info", "office", "accounts")[int(4 * rng.random())]
            held.email = f"{box}@{organization.domain}"
        held.landline = self._phone(organization.switchboard if rng.random() < rates.SWITCHBOARD else site.phone)
        self.take_address(held, site.address)
        if source == "billing" and rng.random() < rates.SITE_TAX_ID:
            held.tax_id = self._identification(organization.tax_id)
        return held

    def take_name(self, held: Held, person: Person, source: str, clean: bool = False) -> None:
        """Names, title, suffix, gender; `clean` is somebody taking care."""
        rng = self._rng
        given, family = person.given, person.family
        held.wrong_name = False
        if not clean:
            short = self._short_forms[person.country.code].get(given)
            if short and rng.random() < rates.NICKNAME[source]:
                held.nickname = short[int(len(short) * rng.random())]
                given = held.nickname
            given, family = self._slip(held, given, family)
        held.given, held.family = given, family
        held.middle = person.middle if person.middle and rng.random() < rates.MIDDLE_WRITTEN[source] else None
        held.suffix = person.suffix if source in {"crm", "billing"} else None
        if source in {"crm", "orders", "billing"} and rng.random() < rates.TITLE_WRITTEN:
            held.title = person.country.male_title if person.male else person.country.female_title
        if source == "crm" and rng.random() < rates.GENDER_WRITTEN:
            held.male = person.male
        if source == "partner" and rng.random() >= rates.PARTNER_NAME:
            held.given, held.family = None, (held.family if rng.random() < rates.PARTNER_LAST_NAME else None)

    def _slip(self, held: Held, given: str, family: str) -> tuple[str, str]:
        rng = self._rng
        if " " in family and rng.random() < rates.HALF_SURNAME:
            family = family.partition(" ")[0]
        if not (given.isascii() and family.isascii()) and rng.random() < rates.ACCENTS_DROPPED:
            given, family = corruption.without_accents(given), corruption.without_accents(family)
        chance = rng.random()
        held.wrong_name = True
        if (chance := chance - rates.NAME_TYPO) < 0:
            return self._one(corruption.typo, given, family)
        if (chance := chance - rates.NAME_SOUND) < 0:
            return self._one(corruption.misheard, given, family)
        if (chance := chance - rates.NAME_OCR) < 0:
            return self._one(corruption.misread, given, family)
        if (chance := chance - rates.NAME_SWAPPED) < 0:
            return family, given
        if (chance := chance - rates.INITIAL_ONLY) < 0:
            return given[0], family
        held.wrong_name = False
        if chance < rates.UPPER_CASE:
            return given.upper(), family.upper()
        return given, family

    def _one(self, wrong: corruption.Slip, given: str, family: str) -> tuple[str, str]:
        if self._rng.random() < 0.45:
            return wrong(self._rng, given), family
        return given, wrong(self._rng, family)

    def take_birth(self, held: Held, person: Person) -> None:
        birth, chance = person.birth, self._rng.random()
        if (chance := chance - rates.BIRTH_SWAPPED) < 0:
            birth = corruption.swapped_birth(birth)
        elif (chance := chance - rates.BIRTH_TYPO) < 0:
            birth = corruption.wrong_birth(self._rng, birth)
        elif chance < rates.BIRTH_JUNK:
            birth = JUNK_BIRTH
        held.birth = birth

    def take_email(self, held: Held, person: Person) -> None:
        rng = self._rng
        email = person.email
        if person.second_email and rng.random() < rates.SECOND_EMAIL:
            email = person.second_email
        if person.shared_email and rng.random() < rates.SHARED_CONTACT:
            email = person.shared_email
        chance = rng.random()
        if (chance := chance - rates.EMAIL_TYPO) < 0:
            local, _, domain = email.partition("@")
            email = f"{corruption.typo(rng, local)}@{domain}"
        elif chance < rates.EMAIL_JUNK:
            email = JUNK_EMAILS[int(len(JUNK_EMAILS) * rng.random())]
        held.email = email

    def take_mobile(self, held: Held, person: Person) -> None:
        shared = person.shared_mobile and self._rng.random() < rates.SHARED_CONTACT
        held.mobile = self._phone(person.shared_mobile if shared and person.shared_mobile else person.mobile)

    def _phone(self, number: str) -> str:
        chance = self._rng.random()
        if (chance := chance - rates.PHONE_TYPO) < 0:
            return corruption.wrong_digit(self._rng, number)
        if chance < rates.PHONE_JUNK:
            return JUNK_PHONES[int(len(JUNK_PHONES) * self._rng.random())]
        return number

    def take_address(self, held: Held, address: Address) -> None:
        rng = self._rng
        unit, house, street, city, region, code, country = address
        if rng.random() < rates.STREET_SHORT:
            street = corruption.short_street(street)
        if rng.random() < rates.STREET_TYPO:
            street = corruption.typo(rng, street)
        if rng.random() < rates.POSTCODE_MISSING:
            code = None
        if rng.random() < rates.HOUSE_WRONG:
            house = corruption.wrong_digit(rng, house)
        if unit and rng.random() < rates.UNIT_MISSING:
            unit = None
        held.address = Address(unit, house, street, city, region, code, country)

    def _take_identifications(self, held: Held, person: Person, filled: dict[str, float]) -> None:
        chance = self._rng.random
        if "passport" in filled and chance() < filled["passport"]:
            held.passport = self._identification(person.passport)
        if "national_id" in filled and chance() < filled["national_id"]:
            held.national_id = self._identification(person.national_id)
        if "tax_id" in filled and chance() < filled["tax_id"]:
            held.tax_id = self._identification(person.tax_id)

    def _identification(self, value: str) -> str:
        return corruption.wrong_digit(self._rng, value) if self._rng.random() < rates.ID_TYPO else value

    def _make_reachable(self, held: Held, person: Person, source: str) -> None:
        """No system takes on somebody it cannot reach, nor leaves two of one name at one address without a difference."""
        if not (held.email or held.mobile or held.landline or (held.address and held.birth)):
            if source == "partner" or self._rng.random() < 0.5:
                self.take_email(held, person)
            else:
                self.take_mobile(held, person)
        if person.needs_apart and self._rng.random() < rates.NAMESAKES_APART:
            self._tell_apart(held, person, source)

    def _tell_apart(self, held: Held, person: Person, source: str) -> None:
        if held.birth == person.birth or held.email in {person.email, person.second_email} or held.mobile == person.mobile:
            return
        if "birth" in rates.FILLED[source]:
            held.birth = person.birth
        else:
            held.mobile = person.mobile

    def _organization_name(self, organization: Organization) -> str:
        rng = self._rng
        name = organization.name
        chance = rng.random()
        if (chance := chance - rates.ORGANIZATION_TYPO) < 0:
            name = corruption.typo(rng, name)
        elif chance < rates.ORGANIZATION_UPPER:
            name = name.upper()
        form = self._legal_form(rng)
        if form == "none":
            return name
        short, long = organization.legal_form
        return f"{name} {short if form == 'short' else long}"
