"""What comparison needs of one record: standardised once, stored small, decoded fast.

Everything that needs a table (nicknames, frequencies, attested names) is looked up here, so comparing two records needs
nothing but their features and the set of values that are generic now. Values that can be generic carry their match key, so
that asking costs one set look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import msgspec

from schemas.canonical import Address, Attributes, Email, Identification, Name, Phone, source_of
from schemas.messages import Codec
from streams.identity.blocked import is_blocked
from streams.identity.kinds import match_key
from streams.identity.model import MatchKey
from streams.identity.reference import Reference
from streams.identity.standardise import address, contacts, dates, names, numbers
from streams.identity.standardise.organization import names_organization, organization
from streams.identity.standardise.sound import skeleton, sound
from streams.identity.standardise.text import CACHE, LONGEST, RECENT
from streams.identity.weights import LIMITS

UNKNOWN_KIND, INDIVIDUAL, ORGANIZATION = 0, 1, 2
_KINDS = {"individual": INDIVIDUAL, "organization": ORGANIZATION}

LINKING_TYPES = frozenset({"customer_number", "company_registration"})
"""Identifications whose issuer guarantees them: they link by value, not by comparison."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of the values inside features: compact, immutable, without cycles."""


class PersonName(Row, frozen=True, array_like=True, gc=False):
    """One name of a person. `forms` are the formal names `given` may stand for (Bill: william)."""

    given: str
    middle: str
    family: str  # without particles; several tokens for a double name
    suffix: str  # jr, sr, 2, 3, 4
    forms: tuple[str, ...]
    attested: bool  # `given` is a name a dictionary knows, not a typing error or an initial
    given_bits: int  # centibits an agreement on `given` is worth: rare names more
    family_bits: int
    given_sound: str
    family_sound: str


class Contact(Row, frozen=True, array_like=True, gc=False):
    """An e-mail address or a telephone number, and when it was this record's. ISO dates, perhaps partial or empty."""

    value: str
    key: MatchKey
    valid_from: str = ""
    valid_to: str = ""


class Number(Row, frozen=True, array_like=True, gc=False):
    """An identification."""

    type: str
    issuer: str
    value: str
    key: MatchKey


class Place(Row, frozen=True, array_like=True, gc=False):
    """A postal address. `key` is empty where it is too incomplete to look up by."""

    house: str
    unit: str
    street: str
    locality: str
    postcode: str
    country: str
    key: MatchKey
    valid_from: str = ""
    valid_to: str = ""


class Features(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record, standardised. Empty values are missing values."""

    kind: int
    names: tuple[PersonName, ...]
    organizations: tuple[str, ...]
    birth: str  # YYYY, YYYYMM or YYYYMMDD
    gender: str  # m, f or empty
    numbers: tuple[Number, ...]
    emails: tuple[Contact, ...]
    phones: tuple[Contact, ...]
    places: tuple[Place, ...]
    domains: tuple[Contact, ...]  # mail domains of an organization
    name_token: bytes  # stands for the main name, however it is spelt: counts distinct names on a value; empty if nameless


FEATURES: Codec[Features] = Codec(Features)


T = TypeVar("T")

_NO_KEY = MatchKey(b"")


def _distinct(found: Sequence[T], limit: int) -> tuple[T, ...]:
    """The first `limit` different ones."""
    return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))[:limit]


def features(record: str, attributes: Attributes, reference: Reference, secret: bytes) -> Features:
    """Standardise what identity needs of a record. Pure; `secret` (at most 64 bytes) is the realm's.

    At most `LIMITS` values of each kind are kept, in the order given. `record` names the source an identification
    without an issuer is numbered by.
    """
    kind = _KINDS.get(attributes.kind or "", UNKNOWN_KIND)
    organizations = () if kind == INDIVIDUAL else _organizations(attributes.names or (), kind, reference)
    if organizations:
        kind = ORGANIZATION
    names = () if kind == ORGANIZATION else _names(attributes.names or (), reference)
    blocked = reference.blocked
    emails: tuple[Contact, ...] = ()
    if attributes.emails:
        emails = _contacts("email", attributes.emails, contacts.email, blocked.emails, LIMITS.emails, secret)
    phones: tuple[Contact, ...] = ()
    if attributes.phones:
        phones = _contacts("phone", attributes.phones, contacts.phone, blocked.phones, LIMITS.phones, secret)
    return Features(
        kind=kind,
        names=names,
        organizations=organizations,
        birth=dates.birth(attributes.birth_date, blocked.births) if attributes.birth_date else "",
        gender=numbers.gender(attributes.gender) if attributes.gender else "",
        numbers=_numbers(record, attributes.identifications, reference, secret) if attributes.identifications else (),
        emails=emails,
        phones=phones,
        places=_places(attributes.addresses, secret) if attributes.addresses else (),
        domains=_domains(emails, secret) if organizations else (),
        name_token=_name_token(names, organizations),
    )


def _names(values: Sequence[Name], reference: Reference) -> tuple[PersonName, ...]:
    found: dict[names.Parsed, PersonName] = {}
    for value in values:
        parsed = names.person(value)
        if parsed not in found and len(found) < LIMITS.names:
            name = _person(parsed, reference)
            if name is not None:
                found[parsed] = name
    return tuple(found.values())


@lru_cache(maxsize=CACHE)
def _person(parsed: names.Parsed, reference: Reference) -> PersonName | None:
    """None: nothing of it is a name."""
    given, middle, family, suffix = parsed
    if given in reference.blocked.names:
        given = ""
    if family in reference.blocked.names:
        family = ""
    if not given and not family:
        return None
    if family and given and reference.is_turned(given, family):
        given, family = family, given
    return PersonName(
        given=given,
        middle=middle,
        family=family,
        suffix=suffix,
        forms=reference.forms(given) if given else (),
        attested=len(given) > 1 and reference.is_attested(given),
        given_bits=reference.given_bits(given) if given else 0,
        family_bits=reference.family_bits(family),
        given_sound=sound(given),
        family_sound=sound(family),
    )


def _organizations(values: Iterable[Name], kind: int, reference: Reference) -> tuple[str, ...]:
    """Names of an organization: those given as such, and lines that are one because the kind or their legal form says so."""
    found: dict[str, None] = {}
    for value in values:
        line = value.organization
        if not line:
            parts = value.full or " ".join((value.given, value.middle, value.family))
            if kind == ORGANIZATION or names_organization(parts):
                line = parts
        if name := organization(line):
            found[name] = None
    return tuple(name for name in found if name not in reference.blocked.organizations)[: LIMITS.organizations]


def _numbers(record: str, values: Iterable[Identification], reference: Reference, secret: bytes) -> tuple[Number, ...]:
    blocked = reference.blocked
    found: dict[MatchKey, Number] = {}
    for value in values:
        kind = value.type or "number"
        text = numbers.number(value.value or value.raw)
        links = kind in LINKING_TYPES
        if not text or (not links and len(text) < numbers.FEWEST_CHARACTERS):
            continue
        if is_blocked(text, blocked.accounts if kind == "customer_number" else blocked.numbers):
            continue
        issuer = numbers.number(value.issuer)
        if links:
            issuer = issuer or numbers.number(source_of(record))
            key = match_key(secret, "registration", kind, issuer, text)
        else:
            key = match_key(secret, "identification", text)  # one document goes by different types in different systems
        found.setdefault(key, Number(kind, issuer, text, key))
    return tuple(found.values())[: LIMITS.numbers]


def _contacts(
    kind: str,
    values: Iterable[Email | Phone],
    standardise: Callable[[str], str],
    blocked: tuple[str, ...],
    limit: int,
    secret: bytes,
) -> tuple[Contact, ...]:
    found = []
    for value in values:
        contact = _contact(kind, (value.value or value.raw)[:LONGEST], standardise, blocked, secret)
        if contact is None:
            continue
        if value.valid_from or value.valid_to:
            contact = Contact(contact.value, contact.key, value.valid_from, value.valid_to)
        found.append(contact)
    return _distinct(found, limit)


@lru_cache(maxsize=RECENT)
def _contact(
    kind: str, written: str, standardise: Callable[[str], str], blocked: tuple[str, ...], secret: bytes
) -> Contact | None:
    """None: nobody's."""
    text = standardise(written)
    return Contact(text, match_key(secret, kind, text)) if text and not is_blocked(text, blocked) else None


def _domains(emails: tuple[Contact, ...], secret: bytes) -> tuple[Contact, ...]:
    names = dict.fromkeys(email.value.rpartition("@")[2] for email in emails)
    return tuple(Contact(name, match_key(secret, "mail_domain", name)) for name in names)


def _places(values: Iterable[Address], secret: bytes) -> tuple[Place, ...]:
    found = []
    for value in values:
        place = _place(address.address(value), secret)
        if place is None:
            continue
        if value.valid_from or value.valid_to:
            place = msgspec.structs.replace(place, valid_from=value.valid_from, valid_to=value.valid_to)
        found.append(place)
    return _distinct(found, LIMITS.places)


@lru_cache(maxsize=RECENT)
def _place(lines: address.Lines, secret: bytes) -> Place | None:
    """None: nothing of it says where."""
    house, unit, street, locality, postcode, country = lines
    if not (street or postcode or locality):
        return None
    area = (postcode or skeleton(locality)) if house and street else ""
    key = match_key(secret, "address", area, house, skeleton(address.street_core(street))) if area else _NO_KEY
    return Place(house, unit, street, locality, postcode, country, key)


def _name_token(people: tuple[PersonName, ...], organizations: tuple[str, ...]) -> bytes:
    """The main name without its spelling variants: a person typed five ways is still about one name."""
    if people:
        main = people[0]
        return _token(skeleton(main.forms[0]) if main.forms else "", skeleton(main.family))
    return _token(organizations[0], "") if organizations else b""


@lru_cache(maxsize=CACHE)
def _token(one: str, other: str) -> bytes:
    return blake2b("\x1f".join(sorted((one, other))).encode(), digest_size=6).digest()
