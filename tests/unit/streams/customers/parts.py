"""Parts of the tests of `customers`: one processor with its store and outbox, messages in short, an embedded registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from schemas.canonical import ATTRIBUTES, Attributes
from schemas.messages import (
    CUSTOMERS,
    Cause,
    CustomersInbox,
    EntityChanged,
    Grown,
    MemberAttached,
    MemberDetached,
    MemberUpdated,
    member_digest_of,
)
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW
from schemas.topics import CUSTOMERS as INBOX
from schemas.view import CustomerChange, CustomerView
from streams.customers import Customers
from streams.survivorship import Survivorship, default_rules
from tests.fakes import MemoryStore, RecordingOutbox, Sent, message

NOW = 1_700_000_000_000
LATER_MS = 20
"""After so long a message to itself comes."""
RULES = default_rules()


@dataclass
class MemoryRegistry:
    """Numbers schemas in the order they come."""

    schemas: list[str] = field(default_factory=list)
    subjects: dict[str, int] = field(default_factory=dict)

    def register(self, subject: str, schema: str) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        self.subjects[subject] = self.schemas.index(schema) + 1
        return self.subjects[subject]

    def schema(self, schema_id: int) -> str:
        return self.schemas[schema_id - 1]


@dataclass
class Bench:
    """A `customers` processor at work."""

    store: MemoryStore = field(default_factory=MemoryStore)
    out: RecordingOutbox = field(default_factory=RecordingOutbox)
    codec: PublicCodec = field(default_factory=lambda: PublicCodec(MemoryRegistry()))
    survivorship: Survivorship = field(default_factory=lambda: Survivorship(RULES))

    def __post_init__(self) -> None:
        self.processor = Customers(self.survivorship, self.codec)

    def give(self, *messages: CustomersInbox, at: int = NOW) -> list[CustomerChange]:
        """Process messages, and those to itself some time later; the changes published."""
        self.out.take()
        queue = [(CUSTOMERS.encode(each), at) for each in messages]
        sent: list[Sent] = []
        while queue:
            value, came = queue.pop(0)
            self.processor.process(message(value, timestamp=came), self.store, self.out)
            taken = self.out.take()
            queue += [(each.value, came + LATER_MS) for each in taken if each.topic == INBOX and each.value is not None]
            sent += taken
        self.out.sent = sent
        return [self.codec.decode_change(each.value or b"") for each in self.out.on(CUSTOMER_CHANGES)]

    def views(self) -> list[CustomerView]:
        """The views the last `give` published."""
        return [self.codec.decode_view(each.value or b"") for each in self.out.on(CUSTOMER_VIEW)]


def cause(ref: str = "src/0/1", time: int = 1000, trace: str = "") -> Cause:
    return Cause(ref, time, trace)


def times(time: int, attributes: Attributes) -> dict[str, int]:
    keys = [f"characteristics.{key}" for key in attributes.characteristics or {}]
    return dict.fromkeys([*ATTRIBUTES, *keys], time)


def attached(
    record: str,
    attributes: Attributes,
    customer: str = "c1",
    sequence: int = 1,
    time: int = 1000,
    because: Cause | None = None,
    grown: Grown | None = None,
) -> MemberAttached:
    return MemberAttached(
        customer=customer,
        record=record,
        sequence=sequence,
        cause=because or cause(time=time),
        version=sequence,
        attributes=attributes,
        times=times(time, attributes),
        grown=grown,
    )


def updated(
    record: str,
    attributes: Attributes,
    customer: str = "c1",
    sequence: int = 2,
    time: int = 2000,
    because: Cause | None = None,
) -> MemberUpdated:
    return MemberUpdated(
        customer=customer,
        record=record,
        sequence=sequence,
        cause=because or cause(time=time),
        version=sequence,
        attributes=attributes,
        times=times(time, attributes),
    )


def detached(record: str, customer: str = "c1", sequence: int = 9) -> MemberDetached:
    return MemberDetached(customer=customer, record=record, sequence=sequence, cause=cause())


def entity(
    members: Iterable[str],
    customer: str = "c1",
    epoch: int = 1,
    *,
    aliases: tuple[str, ...] = (),
    absorbed: tuple[str, ...] = (),
    merged_into: str | None = None,
    split_from: str | None = None,
    split_to: tuple[str, ...] = (),
) -> EntityChanged:
    expected = grown(members, epoch, aliases)
    return EntityChanged(
        customer=customer,
        realm="north",
        epoch=expected.epoch,
        count=expected.count,
        digest=expected.digest,
        aliases=expected.aliases,
        absorbed=absorbed,
        merged_into=merged_into,
        split_from=split_from,
        split_to=split_to,
        cause=cause(ref=f"src/1/{epoch}"),
    )


def grown(members: Iterable[str], epoch: int = 1, aliases: tuple[str, ...] = ()) -> Grown:
    records = list(members)
    return Grown(epoch, len(records), reduce(xor, map(member_digest_of, records), 0), aliases)


def changed(change: CustomerChange) -> Mapping[str, tuple[str | None, str | None]]:
    return {each.attribute: (each.before, each.after) for each in change.changes}
