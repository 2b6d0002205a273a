"""What comparison needs of one record: standardised once, stored small, decoded fast.

Everything that needs a table (nicknames, frequencies, attested names) is looked up here, so comparing two records needs
nothing but their features and the set of values that are generic now. Values that can be generic carry the digest of their
match key, so that asking costs one set look-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from schemas.canonical import Address, Attributes, Email, Identification, Name, Phone, source_of
from schemas.messages import Codec
from streams.identity.blocked import is_blocked
from streams.identity.reference import Reference
from streams.identity.standardise import address, contacts, dates, names, numbers
from streams.identity.standardise.organization import names_organization, organization
from streams.identity.standardise.sound import skeleton, sound
from streams.identity.standardise.text import CACHE
from streams.identity.weights import LIMITS

UNKNOWN_KIND, INDIVIDUAL, ORGANIZATION = 0, 1, 2
_KINDS = {"individual": INDIVIDUAL, "organization": ORGANIZATION}

LINKING_TYPES = frozenset({"customer_number", "company_registration"})
"""Identifications whose issuer guarantees them: they link by value, not by comparison."""
NUMBER_KIND = dict.fromkeys(LINKING_TYPES, "registration")
"""The kind of match key an identification posts; the others post `identification`."""


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
    digest: bytes
    valid_from: str = ""
    valid_to: str = ""


class Number(Row, frozen=True, array_like=True, gc=False):
    """An identification."""

    type: str
    issuer: str
    value: str
    digest: bytes


class Place(Row, frozen=True, array_like=True, gc=False):
    """A postal address. `digest` is empty where it is too incomplete to look up by."""

    house: str
    unit: str
    street: str
    locality: str
    postcode: str
    country: str
    digest: bytes
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


def digest(secret: bytes, kind: str, *parts: str) -> bytes:
    """The keyed hash a value is looked up by: 8 bytes, different for every kind and secret (a realm's)."""
    hasher = _hasher(secret, kind).copy()
    hasher.update("\x1f".join(parts).encode())
    return hasher.digest()


@lru_cache(maxsize=1024)
def _hasher(secret: bytes, kind: str) -> blake2b:
    """A hash of the secret and the kind, to go on from: copied, never updated."""
    return blake2b(f"{kind}\x1f".encode(), digest_size=8, key=secret)


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
    emails = _emails(attributes.emails or (), reference, secret)
    return Features(
        kind=kind,
        names=names,
        organizations=organizations,
        birth=dates.birth(attributes.birth_date, reference.blocked.births) if attributes.birth_date else "",
        gender=numbers.gender(attributes.gender) if attributes.gender else "",
        numbers=_numbers(record, attributes.identifications or (), reference, secret),
        emails=emails,
        phones=_phones(attributes.phones or (), reference, secret),
        places=_places(attributes.addresses or (), secret),
        domains=_domains(emails, secret) if organizations else (),
        name_token=_name_token(names, organizations),
    )


def _names(values: Iterable[Name], reference: Reference) -> tuple[PersonName, ...]:
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
    found: dict[bytes, Number] = {}
    for value in values:
        kind = value.type or "number"
        text = numbers.number(value.value or value.raw)
        issuer = numbers.number(value.issuer)
        if kind in LINKING_TYPES:
            issuer = issuer or numbers.number(source_of(record))
            key = digest(secret, "registration", kind, issuer, text)
        else:
            key = digest(secret, "identification", text)  # the same document goes by different types in different systems
        if not text or (kind not in LINKING_TYPES and len(text) < numbers.FEWEST_CHARACTERS):
            continue
        if is_blocked(text, reference.blocked.accounts if kind == "customer_number" else reference.blocked.numbers):
            continue
        found.setdefault(key, Number(kind, issuer, text, key))
    return tuple(found.values())[: LIMITS.numbers]


def _emails(values: Iterable[Email], reference: Reference, secret: bytes) -> tuple[Contact, ...]:
    found = []
    for value in values:
        text = contacts.email(value.value or value.raw)
        if text and not is_blocked(text, reference.blocked.emails):
            found.append(Contact(text, digest(secret, "email", text), value.valid_from, value.valid_to))
    return tuple(dict.fromkeys(found))[: LIMITS.emails]


def _domains(emails: tuple[Contact, ...], secret: bytes) -> tuple[Contact, ...]:
    names = dict.fromkeys(email.value.rpartition("@")[2] for email in emails)
    return tuple(Contact(name, digest(secret, "mail_domain", name)) for name in names)


def _phones(values: Iterable[Phone], reference: Reference, secret: bytes) -> tuple[Contact, ...]:
    found = []
    for value in values:
        text = contacts.phone(value.value or value.raw)
        if text and not is_blocked(text, reference.blocked.phones):
            found.append(Contact(text, digest(secret, "phone", text), value.valid_from, value.valid_to))
    return tuple(dict.fromkeys(found))[: LIMITS.phones]


def _places(values: Iterable[Address], secret: bytes) -> tuple[Place, ...]:
    found = []
    for value in values:
        lines = address.address(value)
        if not (lines.street or lines.postcode or lines.locality):
            continue
        whole = ""
        if lines.house and lines.street and (lines.postcode or lines.locality):
            whole = lines.postcode or skeleton(lines.locality)
        where = skeleton(address.street_core(lines.street))
        key = digest(secret, "address", whole, lines.house, where) if whole else b""
        found.append(
            Place(
                lines.house,
                lines.unit,
                lines.street,
                lines.locality,
                lines.postcode,
                lines.country,
                key,
                value.valid_from,
                value.valid_to,
            )
        )
    return tuple(dict.fromkeys(found))[: LIMITS.places]


def _name_token(people: tuple[PersonName, ...], organizations: tuple[str, ...]) -> bytes:
    """The main name without its spelling variants: a person typed five ways is still about one name."""
    if people:
        main = people[0]
        formal = main.forms[0] if main.forms else ""
        parts = sorted((skeleton(formal), skeleton(main.family)))
    elif organizations:
        parts = [organizations[0]]
    else:
        return b""
    return blake2b("\x1f".join(parts).encode(), digest_size=6).digest()
