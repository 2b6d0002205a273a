"""A realm under test: feeds an identity processor, and rebuilds from its messages what other processors know."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas import topics
from schemas.messages import (
    CUSTOMERS,
    IDENTITY,
    RECORDS,
    Cause,
    EntityChanged,
    MembershipChanged,
    RecordIdentity,
    member_digest_of,
)
from streams.engine.contract import Message
from streams.identity.grouping import Limits
from streams.identity.processor import IdentityProcessor, Settings
from streams.identity.rows import RECORD, Keys
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher, attributes

NAME = "north"
LARGE_BLOCK = 3
LIMITS = Limits(units=6, step=30, margin=40)
SETTINGS = Settings(secret=b"a secret", limits=LIMITS, large_block=LARGE_BLOCK, sweep=3)
CAUSE = Cause("crm/0/1", 1_700_000_000_000)


class Realm:
    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.processor = IdentityProcessor(FakeMatcher(), settings)
        self.store = MemoryStore()
        self.cards: dict[str, Card] = {}
        self.versions: dict[str, int] = {}
        self.waiting: list[bytes] = []  # messages of the processor to itself
        self.memberships: dict[str, str | None] = {}
        self.sequences: dict[str, int] = {}
        self.entities: dict[str, EntityChanged] = {}
        self.said: list[EntityChanged] = []
        self._offset = 0

    def put(self, record: str, card: Card) -> None:
        self.cards[record] = card
        self.send(self.identity(record, card))

    def delete(self, record: str) -> None:
        self.cards.pop(record, None)
        self.send(self.identity(record, None))

    def identity(self, record: str, card: Card | None) -> bytes:
        """The next message about a record."""
        self.versions[record] = version = self.versions.get(record, 0) + 1
        return self.identity_at(record, version, card)

    def identity_at(self, record: str, version: int, card: Card | None) -> bytes:
        told = attributes(card) if card else None
        return IDENTITY.encode(RecordIdentity(record=f"{NAME}/{record}", version=version, attributes=told, cause=CAUSE))

    def send(self, *values: bytes) -> None:
        """Process messages as one batch."""
        batch: list[Message] = []
        for value in values:
            self._offset += 1
            batch.append(message(value, key=NAME.encode(), topic=topics.IDENTITY, offset=self._offset))
        self.processor.prepare(batch, self.store)
        for each in batch:
            out = RecordingOutbox()
            self.processor.process(each, self.store, out)
            self._hear(out)

    def _hear(self, out: RecordingOutbox) -> None:
        self.waiting.extend(sent.value or b"" for sent in out.on(topics.IDENTITY))
        for sent in out.on(topics.RECORDS):
            told = RECORDS.decode(sent.value or b"")
            assert isinstance(told, MembershipChanged)
            assert sent.key == told.record.encode()
            assert told.sequence == self.sequences.get(told.record, 0) + 1
            self.sequences[told.record] = told.sequence
            self.memberships[told.record] = told.customer
            if (grown := told.grown) is not None:
                assert told.customer is not None
                self._note(
                    EntityChanged(customer=told.customer, realm=NAME, cause=told.cause, **msgspec.structs.asdict(grown))
                )
        for sent in out.on(topics.CUSTOMERS):
            entity = CUSTOMERS.decode(sent.value or b"")
            assert isinstance(entity, EntityChanged)
            assert sent.key == entity.customer.encode()
            self._note(entity)

    def _note(self, entity: EntityChanged) -> None:
        before = self.entities.get(entity.customer)
        assert entity.epoch == (before.epoch if before else 0) + 1
        self.entities[entity.customer] = entity
        self.said.append(entity)

    def settle(self) -> None:
        """Process everything it sent to itself."""
        for _ in range(10_000):
            if not self.waiting:
                return
            self.send(self.waiting.pop(0))
        raise AssertionError("it never comes to rest")

    def customer(self, record: str) -> str | None:
        return self.memberships.get(f"{NAME}/{record}")

    def groups(self) -> set[frozenset[str]]:
        """Which records are together, by the memberships told."""
        found: dict[str, set[str]] = {}
        for record, customer in self.memberships.items():
            if customer is not None:
                found.setdefault(customer, set()).add(record.partition("/")[2])
        return {frozenset(records) for records in found.values()}

    def edges(self) -> dict[tuple[str, str], int]:
        """The stored edges; both halves must agree."""
        keys = Keys(NAME)
        found: dict[tuple[str, str], int] = {}
        for key, data in self.store.scan(keys.records()):
            for other, score in RECORD.decode(data).edges.items():
                found[keys.record_of(key), other] = score
        assert all(found.get((b, a)) == score for (a, b), score in found.items())
        return {(a, b): score for (a, b), score in found.items() if a < b}

    def check_entities(self) -> None:
        """What customers were told must agree with the memberships told."""
        members: dict[str, list[str]] = {}
        for record, customer in self.memberships.items():
            if customer is not None:
                members.setdefault(customer, []).append(record)
        assert {c for c, entity in self.entities.items() if entity.count} == members.keys()
        for customer, entity in self.entities.items():
            records = members.get(customer, [])
            assert entity.count == len(records)
            assert entity.digest == digest_of(records)
            if entity.merged_into is not None:
                assert not entity.count
                assert customer in self.entities[entity.merged_into].aliases
            for alias in entity.aliases:
                assert self.entities[alias].merged_into == customer


def digest_of(records: Iterable[str]) -> int:
    digest = 0
    for record in records:
        digest ^= member_digest_of(record)
    return digest
