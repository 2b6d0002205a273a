"""The real processors, records to customers, on tiny inputs; and what must come out whatever happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.public import PublicCodec
from schemas.topics import (
    CUSTOMER_CHANGES,
    CUSTOMER_VIEW,
    CUSTOMERS,
    DEAD_LETTERS,
    IDENTITY,
    RECORDS,
    TopicSpec,
    table_topic,
)
from schemas.view import CustomerChange, CustomerView
from streams.customers import Customers
from streams.engine.contract import Message, Outbox, Processor, Store
from streams.engine.outbox import Outgoing
from streams.identity.factory import identity_processor
from streams.identity.rows import RECORD
from streams.records import RECORD_ROWS, Records
from streams.survivorship import Survivorship, default_rules
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.simulation.people import REALMS, changes
from tests.simulation.reading import check_stores, committed, rows
from tests.simulation.world import Pipeline, Stage, World
from tests.unit.streams.customers.parts import MemoryRegistry

INBOX_OF = {"records": RECORDS, "identity": IDENTITY, "customers": CUSTOMERS}


@lru_cache(maxsize=1)
def _shared() -> tuple[Survivorship, PublicCodec]:
    """Read once: both are without state."""
    return Survivorship(default_rules()), PublicCodec(MemoryRegistry())


def codec() -> PublicCodec:
    """Of the views and changes."""
    return _shared()[1]


def processor(name: str) -> Processor:
    match name:
        case "records":
            return Records()
        case "identity":
            return identity_processor(b"a secret of the simulation")
    return Customers(*_shared())


class Interrupted:
    """A processor for which something outside may be away, after it has done its part."""

    def __init__(self, name: str, outside: Callable[[], None]) -> None:
        self.name = name
        self._inner = processor(name)
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        self._inner.prepare(batch, store)

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        self._inner.process(message, store, out)
        self._outside()


def pipeline(seed: int) -> Pipeline:
    """Sizes and input by the seed."""
    random = Random(f"unified {seed}")
    partitions = {RECORDS: random.randrange(1, 4), IDENTITY: len(REALMS), CUSTOMERS: random.randrange(1, 4)}
    topics = [_topic(name, count) for name, count in partitions.items()]
    topics += [_topic(table_topic(stage), partitions[inbox], compacted=True) for stage, inbox in INBOX_OF.items()]
    topics += [_topic(CUSTOMER_VIEW, 2, compacted=True), _topic(CUSTOMER_CHANGES, 2), _topic(DEAD_LETTERS, 1)]
    numbers = {realm.encode(): number for number, realm in enumerate(REALMS)}
    return Pipeline(
        topics=topics,
        stages=[
            Stage(name, inbox, lambda outside, name=name: Interrupted(name, outside), random.randrange(1, 3))  # type: ignore[misc]
            for name, inbox in INBOX_OF.items()
        ],
        input=[Outgoing(RECORDS, c.record.encode(), RECORDS_CODEC.encode(c)) for c in changes(random)],
        partitioners={IDENTITY: numbers.__getitem__},
    )


def _topic(name: str, partitions: int, *, compacted: bool = False) -> TopicSpec:
    return TopicSpec(name, partitions, compacted, -1, 1_000_000)


class Result(NamedTuple):
    """What is left at the end, without what depends on the order in which messages met."""

    views: Mapping[frozenset[str], object]  # attributes with provenance, by set of members
    records: Mapping[str, object]  # whether it exists, its version and attributes


def result(records: Mapping[bytes, bytes], views: Iterable[CustomerView]) -> Result:
    found = {}
    for key, data in records.items():
        if key.startswith(b"r/"):
            row = RECORD_ROWS.decode(data)
            found[key[2:].decode()] = (row.exists, row.version, row.attributes)
    return Result({frozenset(v.members): v.attributes for v in views if v.status == "active"}, found)


def straight_through(given: Iterable[Outgoing]) -> Result:
    """The same processors, one message after the other, without engine, log or faults."""
    processors = {inbox: processor(name) for name, inbox in INBOX_OF.items()}
    stores = {inbox: MemoryStore() for inbox in processors}
    queue = deque((item.topic, item.key, item.value) for item in given)
    views: dict[bytes, bytes] = {}
    while queue:
        topic, key, value = queue.popleft()
        out = RecordingOutbox()
        each = message(value, key, topic)
        processors[topic].prepare([each], stores[topic])
        processors[topic].process(each, stores[topic], out)
        queue += [(sent.topic, sent.key, sent.value) for sent in out.sent if sent.topic in processors]
        views |= {sent.key or b"": sent.value or b"" for sent in out.on(CUSTOMER_VIEW)}
    return result(stores[RECORDS].rows, map(codec().decode_view, views.values()))


def check(world: World, given: Pipeline) -> None:
    """Compares with a run without engine and faults; and what the topics say with each other. Once at rest."""
    public = codec()
    tables = {stage: rows(world, table_topic(stage)) for stage in INBOX_OF}
    views = {key.decode(): public.decode_view(value) for key, value in rows(world, CUSTOMER_VIEW).items()}
    assert not list(committed(world, DEAD_LETTERS)), "dead letters"
    expected, found = straight_through(given.input), result(tables["records"], views.values())
    assert found.records == expected.records, "records"
    assert found.views.keys() == expected.views.keys(), "who is one customer"
    assert found.views == expected.views, "views"
    _check_memberships(tables, views)
    changes = [public.decode_change(record.value or b"") for record in committed(world, CUSTOMER_CHANGES)]
    _check_changes(changes, views)
    world.counts["customers merged"] += sum(change.merged_into is not None for change in changes)
    world.counts["customers split"] += sum(change.split_from is not None for change in changes)
    check_stores(world)


def _check_memberships(tables: Mapping[str, Mapping[bytes, bytes]], views: Mapping[str, CustomerView]) -> None:
    """`records`, `identity` and `customers` agree on who belongs to whom."""
    by_records = {
        key[2:].decode(): customer
        for key, data in tables["records"].items()
        if key.startswith(b"r/") and (customer := RECORD_ROWS.decode(data).customer)
    }
    by_identity = {}
    for key, data in tables["identity"].items():
        realm, table, record = (*key.decode(errors="replace").split("/", 2), "", "")[:3]
        if table == "r" and (customer := RECORD.decode(data).customer):
            by_identity[f"{realm}/{record}"] = customer
    assert by_records == by_identity, "memberships of records and identity"
    members = {member: view.customer_id for view in views.values() for member in view.members}
    assert by_records == members, "members in the views"


def _check_changes(changes: Iterable[CustomerChange], views: Mapping[str, CustomerView]) -> None:
    """Of each customer every version once, in order, each going on from the one before, up to the view."""
    versions: dict[str, int] = {}
    values: dict[str, dict[str, str | None]] = {}
    for change in changes:
        customer = change.customer_id
        assert change.version == versions.get(customer, 0) + 1, f"{customer} goes from {versions.get(customer)}"
        versions[customer] = change.version
        held = values.setdefault(customer, {})
        for each in change.changes:
            assert held.get(each.attribute) == each.before, "a change was missed"
            held[each.attribute] = each.after
        if change.status != "active":  # its values went with it, untold
            values[customer] = {name: held.get(name) for name in ("members", "member_count", "aliases")}
    assert versions == {customer: view.version for customer, view in views.items()}, "last versions"
