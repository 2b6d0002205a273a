"""The rows a batch works on: each decoded once, changed in place, written back after each message that changed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic

import msgspec

from streams.engine.contract import DamagedStoreError, Store
from streams.identity.matcher import F, Matcher
from streams.identity.members import members
from streams.identity.model import MatchKey
from streams.identity.rows import (
    CUSTOMER,
    EVIDENCE,
    NOBODY,
    POSTING,
    REALM,
    RECORD,
    CustomerRow,
    EvidenceRow,
    Keys,
    PostingRow,
    RealmRow,
    RecordRow,
)

MEMORY_LIMIT = 20_000
"""Decoded evidence rows kept between messages: a few kilobytes each, so tens of megabytes a process at most."""


PREFETCHED = 4_000
"""Records that a batch of messages may meet before they are no longer read ahead: where keys of many holders are crowded."""


class Evidence(msgspec.Struct, Generic[F], frozen=True, eq=False):
    """What is known of a record, decoded. Immutable, so it may be shared between messages."""

    data: bytes  # the row it came from
    features: F
    keys: tuple[MatchKey, ...]
    name: bytes  # stands for its main name


class EvidenceMemory(Generic[F]):
    """Decodes evidence rows, remembering the last ones. Keyed by the row's own bytes, so an undone write cannot fool it."""

    def __init__(self, matcher: Matcher[F]) -> None:
        self._matcher = matcher
        self._known: dict[bytes, Evidence[F]] = {}

    def decode(self, data: bytes) -> Evidence[F]:
        known = self._known.get(data)
        if known is None:
            row = EVIDENCE.decode(data)
            known = self._remember(data, self._matcher.decode(row.features), row.keys)
        return known

    def encode(self, features: F, keys: tuple[MatchKey, ...]) -> Evidence[F]:
        data = EVIDENCE.encode(EvidenceRow(self._matcher.encode(features), keys))
        return self._remember(data, features, keys)

    def _remember(self, data: bytes, features: F, keys: tuple[MatchKey, ...]) -> Evidence[F]:
        if len(self._known) >= MEMORY_LIMIT:
            self._known.clear()
        evidence = Evidence(data, features, keys, self._matcher.name_token(features))
        self._known[data] = evidence
        return evidence


class _Postings(dict[MatchKey, PostingRow]):
    """The postings known, each read when it is first asked for."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def __missing__(self, key: MatchKey) -> PostingRow:
        data = self._store.get(self._keys.posting(key))
        row = self[key] = POSTING.decode(data) if data is not None else NOBODY
        return row


class Desk(Generic[F]):
    """One realm's rows. Change a row, then say so (`touch_…`); `write` puts back what was changed.

    May serve message after message for as long as nobody else writes to its store (`is_current`). After an error, forget it:
    its rows may be half changed.
    """

    def __init__(self, keys: Keys, store: Store, matcher: Matcher[F], memory: EvidenceMemory[F], large_block: int) -> None:
        self.name = keys.name
        self.keys = keys
        self.store = store
        self.matcher = matcher
        self.kinds = matcher.kinds
        self.large_block = large_block
        self.links = frozenset(code for code, kind in self.kinds.items() if kind.links)
        """The codes of keys that link."""
        self.counts_names = frozenset(code for code, kind in self.kinds.items() if kind.distinct_names)
        """The codes of keys that count names."""
        self.quiet_limits = {code: kind.quiet_limit(large_block) for code, kind in self.kinds.items()}
        self._memory = memory
        self._records: dict[str, RecordRow | None] = {}
        self._evidence: dict[str, Evidence[F]] = {}
        self.postings = _Postings(store, keys)
        """The row of every match key, empty if nobody holds it."""
        self._customers: dict[str, CustomerRow | None] = {}
        self._changed_records: dict[str, None] = {}
        self._changed_postings: dict[MatchKey, PostingRow] = {}
        self._changed_customers: dict[str, None] = {}
        data = store.get(self.keys.realm)
        self.realm = REALM.decode(data) if data is not None else self._new_realm()
        self.realm_changed = data is None
        self._written = (self.keys.realm, data)

    def is_current(self, store: Store) -> bool:
        """Whether it works on this store, and what it wrote last was not taken back."""
        row, data = self._written
        return store is self.store and store.get(row) is data

    def _new_realm(self) -> RealmRow:
        size_class = self.matcher.size_class(0)
        match = self.matcher.thresholds(size_class).match
        return RealmRow(size_class=size_class, lowest=match, highest=match)

    def next_ordinal(self) -> int:
        self.realm.ordinal += 1
        self.realm_changed = True
        return self.realm.ordinal

    def prefetch(self, records: Iterable[str], keys: Iterable[MatchKey]) -> None:
        """Read what messages about these records, with these match keys now, will ask for: in three round trips rather than
        one by one. The records and keys; the records they meet there; what those lead to. Nothing depends on it."""
        rows, kinds, postings, get_many = self.keys, self.kinds, self.postings, self.store.get_many
        records, keys = dict.fromkeys(records), dict.fromkeys(keys)
        found = get_many([*rows.each_record(records), *rows.each_posting(keys)])
        self._read_records(records, found)
        known = [record for record in records if (row := self._records[record]) is not None and row.live]
        postings.update(dict.fromkeys(keys, NOBODY))
        met = dict.fromkeys(known)
        for key, data in zip(keys, found[len(records) :], strict=True):
            if data is None:
                continue
            posting = postings[key] = POSTING.decode(data)
            if posting.count <= kinds[key[0]].limit and len(met) < PREFETCHED:
                met.update(posting.members)
        self._read_records(met, get_many([*rows.each_record(met), *map(rows.evidence, met)]))
        customers: set[str] = set()
        further: set[MatchKey] = set()
        for record in met:
            row = self._records[record]
            if row is not None:
                customers.add(row.customer)
                further.update(row.links)
        for record in known:
            further.update(self.evidence(record).keys)  # of which it may let go
        self.store.load([*map(rows.customer, customers), *rows.each_posting(further.difference(keys))])

    # records

    def find_record(self, record: str) -> RecordRow | None:
        if record in self._records:
            return self._records[record]
        data = self.store.get(self.keys.record(record))
        row = RECORD.decode(data) if data is not None else None
        self._records[record] = row
        return row

    def _read_records(self, records: Iterable[str], found: Iterable[bytes | None]) -> None:
        """Take what was found of record rows, unless they are known."""
        known = self._records
        for record, data in zip(records, found, strict=False):
            if record not in known:
                known[record] = RECORD.decode(data) if data is not None else None

    def record(self, record: str) -> RecordRow:
        """The row of a record that is known to exist."""
        row = self._records.get(record) or self.find_record(record)
        if row is None:
            raise DamagedStoreError(f"realm {self.name}: a row refers to a record that has none")
        return row

    def add_record(self, record: str) -> RecordRow:
        row = RecordRow()
        self._records[record] = row
        return row

    def touch_record(self, record: str) -> None:
        self._changed_records[record] = None

    def load_records(self, records: Iterable[str]) -> None:
        """Read many record rows in one round trip."""
        missing = [record for record in records if record not in self._records]
        if missing:
            self._read_records(missing, self.store.get_many(self.keys.each_record(missing)))

    # evidence

    def evidence(self, record: str) -> Evidence[F]:
        """The evidence of a live record."""
        known = self._evidence.get(record)
        if known is None:
            data = self.store.get(self.keys.evidence(record))
            if data is None:
                raise DamagedStoreError(f"realm {self.name}: a live record has no evidence row")
            known = self._memory.decode(data)
            self._evidence[record] = known
        return known

    def load_evidence(self, records: Iterable[str]) -> None:
        """Read the evidence of many records in one round trip."""
        missing = [record for record in records if record not in self._evidence]
        if len(missing) > 1:
            self.store.load(map(self.keys.evidence, missing))

    def put_evidence(self, record: str, evidence: Evidence[F]) -> None:
        self._evidence[record] = evidence
        self.store.put(self.keys.evidence(record), evidence.data)

    def drop_evidence(self, record: str) -> None:
        self._evidence.pop(record, None)
        self.store.delete(self.keys.evidence(record))

    # postings

    def put_postings(self, rows: Mapping[MatchKey, PostingRow]) -> None:
        """Replace the rows of match keys."""
        self.postings.update(rows)
        self._changed_postings.update(rows)

    # customers

    def find_customer(self, customer: str) -> CustomerRow | None:
        if customer in self._customers:
            return self._customers[customer]
        data = self.store.get(self.keys.customer(customer))
        row = CUSTOMER.decode(data) if data is not None else None
        self._customers[customer] = row
        return row

    def customer(self, customer: str) -> CustomerRow:
        """The ledger's page of an id that is known to exist."""
        row = self._customers.get(customer) or self.find_customer(customer)
        if row is None:
            raise DamagedStoreError(f"realm {self.name}: no ledger row for customer {customer}")
        return row

    def add_customer(self, customer: str, row: CustomerRow) -> None:
        self._customers[customer] = row
        self._changed_customers[customer] = None

    def touch_customer(self, customer: str) -> None:
        self._changed_customers[customer] = None

    def members(self, customer: str) -> Iterator[str]:
        """Records of a customer, longest-tenured first."""
        return members(self.store, self.keys, customer, self.customer(customer))

    def aliases(self, customer: str) -> Iterator[str]:
        """Ids a customer answers for besides itself, oldest first, as last written."""
        for _, alias in self.store.scan(self.keys.aliases(customer)):
            yield alias.decode()

    def write(self) -> None:
        """Put every changed row: one message is done."""
        put, keys = self.store.put, self.keys
        encoded, data = NOBODY, b""
        changed = self._changed_postings
        for key, row in zip(keys.each_posting(changed), changed.values(), strict=True):
            if row is not encoded:  # neighbours often share one
                encoded, data = row, POSTING.encode(row)
            if row.count:
                put(key, data)
            else:
                self.store.delete(key)
        for customer in self._changed_customers:
            put(keys.customer(customer), CUSTOMER.encode(self.customer(customer)))
        if self.realm_changed:
            self._put_last(keys.realm, REALM.encode(self.realm))
        for record in self._changed_records:
            self._put_last(keys.record(record), RECORD.encode(self.record(record)))
        self._changed_records.clear()
        self._changed_postings.clear()
        self._changed_customers.clear()
        self.realm_changed = False

    def _put_last(self, row: bytes, data: bytes) -> None:
        self.store.put(row, data)
        self._written = (row, data)
