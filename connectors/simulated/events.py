"""What the generator yields: source events with, on the first event of a record, the truth about it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

CRM_TOPIC = "crm.public.customer"
BILLING_TOPIC = "billing.customer"
ORDERS_TOPIC = "orders.customer-events"
SELFCARE_TOPIC = "selfcare.profile-changes"
PARTNER_TOPIC = "partner.subscriptions"

SOURCES: dict[str, str] = {
    "crm": CRM_TOPIC,
    "billing": BILLING_TOPIC,
    "orders": ORDERS_TOPIC,
    "selfcare": SELFCARE_TOPIC,
    "partner": PARTNER_TOPIC,
}
"""The five systems and the topic each publishes to."""

BILLING_SCHEMA = "billing-customer"


class AvroDatum(NamedTuple):
    """A value yet to be written in Avro: whoever publishes it registers the schema and puts the wire format on."""

    schema: str  # see `source_schema`
    value: dict[str, object]


class TruthRow(NamedTuple):
    """Which customer a source record really is."""

    realm: str
    source: str
    record_id: str
    cluster: str


class SourceEvent(NamedTuple):
    """One message of a source topic. `FORMATS.md` describes the values."""

    topic: str
    key: bytes | None
    value: bytes | AvroDatum | None
    timestamp: int  # ms since the epoch: when it was published, not when it happened
    truth: TruthRow | None  # on the first event of each record that lives at the end of the stream


@cache
def source_schema(name: str) -> str:
    """The JSON text of a shipped Avro schema. Raises FileNotFoundError for a name that is not shipped."""
    return resources.files(__package__).joinpath("schemas", f"{name}.avsc").read_text(encoding="utf-8")
