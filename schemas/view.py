"""The unified customer view and its change notification, as the code holds them.

Field names equal those of the public Avro schemas (`schemas/avro`), so one conversion serves both. Times are
milliseconds since the epoch.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

import msgspec

from schemas.canonical import (
    Account,
    Address,
    Consent,
    Email,
    Identification,
    Name,
    Phone,
    RelatedParty,
    Subscription,
    ThirdPartyService,
)

T = TypeVar("T")

ViewStatus: TypeAlias = Literal["active", "merged", "deleted"]
"""The life cycle of a customer id: `merged` is a redirect to `merged_into`, `deleted` has no members left."""

EventType: TypeAlias = Literal[
    "CustomerCreateEvent",
    "CustomerAttributeValueChangeEvent",
    "CustomerStateChangeEvent",
    "CustomerDeleteEvent",
    "CustomerMergeEvent",
    "CustomerSplitEvent",
]
"""TM Forum's customer events (TMF629), and two of our own for identity."""


class ViewPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of the parts of a view and of a change."""


class Provenance(ViewPart, frozen=True, kw_only=True, cache_hash=True):
    """Where a value comes from: the record it was taken from, when that record said so, and by which rule it won."""

    record: str  # realm/source/id
    time: int  # event time of the value in that record
    rule: str  # name of the strategy
    count: int = 1  # members that state this value, the chosen one included
    also: tuple[str, ...] = ()  # the others, by name; capped


class Sourced(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A value with its provenance."""

    value: T
    provenance: Provenance


class ViewAttributes(ViewPart, frozen=True, kw_only=True):
    """The reconciled attributes. `name` and `address` are the best of `names` and `addresses`, which keep them all."""

    kind: Sourced[str] | None = None
    status: Sourced[str] | None = None
    name: Sourced[Name] | None = None
    names: tuple[Sourced[Name], ...] = ()
    birth_date: Sourced[str] | None = None
    gender: Sourced[str] | None = None
    identifications: tuple[Sourced[Identification], ...] = ()
    emails: tuple[Sourced[Email], ...] = ()
    phones: tuple[Sourced[Phone], ...] = ()
    address: Sourced[Address] | None = None
    addresses: tuple[Sourced[Address], ...] = ()
    accounts: tuple[Sourced[Account], ...] = ()
    subscriptions: tuple[Sourced[Subscription], ...] = ()
    third_party_services: tuple[Sourced[ThirdPartyService], ...] = ()
    related_parties: tuple[Sourced[RelatedParty], ...] = ()
    consents: tuple[Sourced[Consent], ...] = ()
    characteristics: dict[str, Sourced[str]] = {}
    totals: dict[str, int] = {}  # of lists, or characteristics, that were cut: how many elements there are


VIEW_ATTRIBUTES: tuple[str, ...] = tuple(name for name in ViewAttributes.__struct_fields__ if name != "totals")
"""Names of the attributes of a view, in the order a person would read them."""

NO_ATTRIBUTES = ViewAttributes()


class CustomerView(ViewPart, frozen=True, kw_only=True):
    """One customer's view at one version. A merged or deleted id holds no attributes and no members."""

    customer_id: str
    realm: str
    version: int  # counts this id's transitions; two records of one version differ in provenance only
    status: ViewStatus
    attributes: ViewAttributes = NO_ATTRIBUTES
    members: tuple[str, ...] = ()  # record keys in order; capped
    member_count: int = 0
    aliases: tuple[str, ...] = ()  # ids that were merged into this one
    merged_into: str | None = None
    rules_version: str
    event_time: int  # of the newest cause
    processed_at: int
    cut: tuple[str, ...] = ()  # attributes, or `members`, of which this view does not hold all


class CauseRef(ViewPart, frozen=True, kw_only=True):
    """A source event that led to a transition."""

    ref: str  # source topic/partition/offset
    time: int


class AttributeChange(ViewPart, frozen=True, kw_only=True):
    """One attribute's value before and after, as JSON text without provenance; None where there was none."""

    attribute: str  # a view attribute, `characteristics.<key>`, `members`, `member_count` or `aliases`
    before: str | None = None
    after: str | None = None
    cut: bool = False  # whether either lacks elements, or the ends of long texts


class CustomerChange(ViewPart, frozen=True, kw_only=True):
    """One transition of a customer's view, from the version before to `version`."""

    event_id: str  # `customer id:version`; never changes
    event_type: EventType
    customer_id: str
    realm: str
    version: int
    status: ViewStatus  # after the transition
    event_time: int
    processing_time: int
    rules_version: str
    causes: tuple[CauseRef, ...] = ()  # the newest; capped
    cause_count: int = 0
    changes: tuple[AttributeChange, ...] = ()
    absorbed: tuple[str, ...] = ()
    merged_into: str | None = None
    split_from: str | None = None
    split_to: tuple[str, ...] = ()
    cut: bool = False  # whether `absorbed` or `split_to` name only some
