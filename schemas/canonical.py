"""The canonical record: what every source's customer data becomes.

Close to TM Forum's TMF632 (Party) and TMF629 (Customer), flattened to what a stream needs. One attribute of
`Attributes` is the unit of order (an event older than the one that wrote it is stale for it) and, with the elements of
its lists, of survivorship. Lists are atomic per source record: a patch that names `phones` replaces the record's phones.

Three states of an attribute: `UNSET` (a patch does not name it), `None` (named and empty), a value. Empty strings and
empty lists are `None`. Values are standardised by the mapping where it says so; `raw` keeps what the source wrote.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

Kind: TypeAlias = Literal["individual", "organization"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A structured value inside an attribute. Dates are ISO 8601 strings, perhaps partial; empty means not known."""


class Name(Part, frozen=True, kw_only=True):
    use: str = ""  # legal, preferred, maiden, alias, trading
    prefix: str = ""
    given: str = ""
    middle: str = ""
    family: str = ""
    suffix: str = ""  # Jr, Sr, III
    full: str = ""  # one unparsed line, where the source has no parts
    organization: str = ""


class Identification(Part, frozen=True, kw_only=True):
    type: str = ""  # passport, national_id, driving_licence, tax_id, company_registration, customer_number
    issuer: str = ""  # ISO 3166 country, authority, or the source system that numbers
    value: str = ""
    raw: str = ""
    valid_from: str = ""
    valid_to: str = ""


class Email(Part, frozen=True, kw_only=True):
    value: str = ""
    raw: str = ""
    use: str = ""
    verified: bool = False
    valid_from: str = ""
    valid_to: str = ""


class Phone(Part, frozen=True, kw_only=True):
    value: str = ""  # E.164 where it could be parsed, else as written
    raw: str = ""
    use: str = ""
    verified: bool = False
    valid_from: str = ""
    valid_to: str = ""


class Address(Part, frozen=True, kw_only=True):
    """One postal address: an atomic group, never mixed from two sources."""

    use: str = ""
    unit: str = ""
    house: str = ""
    street: str = ""
    locality: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166 alpha-2
    raw: str = ""
    verified: bool = False
    valid_from: str = ""
    valid_to: str = ""


class Account(Part, frozen=True, kw_only=True):
    id: str = ""
    type: str = ""
    status: str = ""
    name: str = ""


class Subscription(Part, frozen=True, kw_only=True):
    id: str = ""
    product: str = ""
    status: str = ""
    start: str = ""
    end: str = ""


class ThirdPartyService(Part, frozen=True, kw_only=True):
    id: str = ""
    provider: str = ""
    product: str = ""
    status: str = ""
    start: str = ""
    end: str = ""


class RelatedParty(Part, frozen=True, kw_only=True):
    role: str = ""  # household, parent_organization, site_of, contact
    record: str = ""  # a source record, `realm/source/id`, where the source knows one
    name: str = ""


class Consent(Part, frozen=True, kw_only=True):
    purpose: str = ""
    granted: bool = False
    channel: str = ""
    at: str = ""


class Attributes(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Everything a source says about one customer. Treat as immutable: use `msgspec.structs.replace`."""

    kind: Kind | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET
    names: list[Name] | UnsetType | None = UNSET
    birth_date: str | UnsetType | None = UNSET  # 1980, 1980-05 or 1980-05-17
    gender: str | UnsetType | None = UNSET
    identifications: list[Identification] | UnsetType | None = UNSET
    emails: list[Email] | UnsetType | None = UNSET
    phones: list[Phone] | UnsetType | None = UNSET
    addresses: list[Address] | UnsetType | None = UNSET
    accounts: list[Account] | UnsetType | None = UNSET
    subscriptions: list[Subscription] | UnsetType | None = UNSET
    third_party_services: list[ThirdPartyService] | UnsetType | None = UNSET
    related_parties: list[RelatedParty] | UnsetType | None = UNSET
    consents: list[Consent] | UnsetType | None = UNSET
    characteristics: dict[str, str | None] | UnsetType | None = UNSET
    """Each key is ordered on its own; a patch empties one by naming it with None."""


ATTRIBUTES: tuple[str, ...] = Attributes.__struct_fields__
"""Names of all attributes, in the order a person would read them."""

IDENTITY_ATTRIBUTES: tuple[str, ...] = (
    "kind",
    "names",
    "birth_date",
    "gender",
    "identifications",
    "emails",
    "phones",
    "addresses",
)
"""The attributes identity looks at. A change of any other never leaves `records` for `identity`."""

LIST_ATTRIBUTES: dict[str, type[Part]] = {
    "names": Name,
    "identifications": Identification,
    "emails": Email,
    "phones": Phone,
    "addresses": Address,
    "accounts": Account,
    "subscriptions": Subscription,
    "third_party_services": ThirdPartyService,
    "related_parties": RelatedParty,
    "consents": Consent,
}
"""Attributes whose value is a list, and the type of its elements. The others are strings, or `characteristics`."""


def record_key(realm: str, source: str, record_id: str) -> str:
    """The key of a source record: `realm/source/id`. Realm and source hold no slash; the id may."""
    return f"{realm}/{source}/{record_id}"


def realm_of(record: str) -> str:
    """The realm of a source record's key."""
    return record.partition("/")[0]


def source_of(record: str) -> str:
    """The source system of a source record's key."""
    return record.split("/", 2)[1]
