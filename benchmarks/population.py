"""Stores filled with millions of customers in a minute: one customer is made by the processor, the others by substitution.

The rows a processor writes for one customer are taken as a pattern; another customer's are the same bytes with other ids,
names and digests of the same length. So the rows are what the processor itself would have written, whatever their format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.contenders.engine import Merge
from schemas.canonical import Account, Address, Attributes, Email, Name, Phone
from schemas.messages import (
    CUSTOMERS,
    RECORDS,
    Cause,
    EntityChanged,
    MemberAttached,
    MembershipChanged,
    MemberUpdated,
    Order,
    SourceChange,
    member_digest_of,
)
from schemas.public import PublicCodec
from streams.customers import Customers
from streams.engine.contract import Message, Processor
from streams.records import Records
from streams.survivorship import Survivorship, default_rules
from tests.fakes import MemoryStore, RecordingOutbox

NOW = 1_700_000_000_000
WORD = "qzxjqvwk"  # stands for what differs between people: nothing else in a row reads so
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Tokens(NamedTuple):
    """What differs between customers, all of one length."""

    customer: bytes
    record: bytes
    word: bytes
    digest: bytes

    @classmethod
    def of(cls, number: int, word: str) -> Tokens:
        record = f"north/crm/{number:012d}"
        digest = member_digest_of(record).to_bytes(8, "big")
        return cls(b"customer-%012d" % number, record.encode(), word.encode(), digest)


PATTERN = Tokens.of(999_999_999_999, WORD)


def tokens(number: int) -> Tokens:
    """Of customer `number`; the word is spread over the alphabet, so that rows do not compress to nothing."""
    mixed = number * 2_654_435_761 % 2**40
    return Tokens.of(number, "".join(_LETTERS[(mixed >> shift) % 26] for shift in range(0, 40, 5)))


def substituted(pattern: bytes, to: Tokens) -> bytes:
    for old, new in zip(PATTERN, to, strict=True):
        pattern = pattern.replace(old, new)
    return pattern


class Plant(NamedTuple):
    """A processor, the rows of the pattern customer, and an update of it that has an effect."""

    name: str
    processor: Processor
    rows: dict[bytes, bytes]
    key: bytes
    update: bytes

    def population(self, size: int) -> Iterator[tuple[bytes, bytes]]:
        """The rows of `size` customers, in the order of their keys."""
        rows = sorted(self.rows.items())
        for number in range(size):
            to = tokens(number)
            for key, value in rows:
                yield substituted(key, to), substituted(value, to)

    def updates(self, numbers: Sequence[int]) -> list[Message]:
        """An update of each of these customers."""
        found = []
        for offset, number in enumerate(numbers):
            to = tokens(number)
            found.append(Message("inbox", 0, offset, substituted(self.key, to), substituted(self.update, to), (), NOW))
        return found


def _grown(name: str, processor: Processor, key: bytes, said: Sequence[bytes], update: bytes) -> Plant:
    store = MemoryStore()
    for offset, value in enumerate(said):
        processor.process(Message("inbox", 0, offset, key, value, (), NOW), store, RecordingOutbox())
    rows = {row: value for row, value in store.rows.items() if any(token in row for token in PATTERN)}
    return Plant(name, processor, rows, key, update)


def customers() -> Plant:
    customer, record, cause = PATTERN.customer.decode(), PATTERN.record.decode(), Cause("crm/0/1", NOW)
    entity = EntityChanged(customer=customer, realm="north", epoch=1, count=1, digest=member_digest_of(record), cause=cause)
    attached = MemberAttached(
        customer=customer, record=record, sequence=1, version=1, attributes=_person("open"), times=_TIMES, cause=cause
    )
    updated = MemberUpdated(
        customer=customer, record=record, sequence=2, version=2, attributes=_person("shut"), times=_TIMES, cause=cause
    )
    processor = Customers(Survivorship(default_rules()), PublicCodec(_Registry()))
    said = [CUSTOMERS.encode(entity), CUSTOMERS.encode(attached)]
    return _grown("customers", processor, customer.encode(), said, CUSTOMERS.encode(updated))


def records() -> Plant:
    record, cause = PATTERN.record.decode(), Cause("crm/0/1", NOW)

    def change(sequence: int, status: str) -> bytes:
        order = Order("seq", (sequence,))
        said = SourceChange(record=record, operation="snapshot", order=order, attributes=_person(status), cause=cause)
        return RECORDS.encode(said)

    member = MembershipChanged(record=record, sequence=1, customer=PATTERN.customer.decode(), cause=cause)
    said = [change(1, "open"), RECORDS.encode(member)]
    return _grown("records", Records(), PATTERN.record, said, change(2, "shut"))


def merge() -> Plant:
    """The processor of the engine workload."""

    def document(status: str) -> bytes:
        return b'{"customer":"%s","name":"%s","status":"%s"}' % (PATTERN.customer, PATTERN.word, status.encode())

    return _grown("merge", Merge(), PATTERN.customer, [document("open")], document("shut"))


PLANTS: tuple[Callable[[], Plant], ...] = (merge, records, customers)


class _Registry:
    """Numbers schemas in the order they come."""

    def __init__(self) -> None:
        self._schemas: list[str] = []

    def register(self, subject: str, schema: str) -> int:  # noqa: ARG002
        self._schemas.append(schema)
        return len(self._schemas)

    def schema(self, schema_id: int) -> str:
        return self._schemas[schema_id - 1]


_TIMES = dict.fromkeys(("kind", "names", "birth_date", "emails", "phones", "addresses", "accounts"), NOW)


def _person(account: str) -> Attributes:
    return Attributes(
        kind="individual",
        names=[Name(given="Maria", family=WORD, full=f"Maria {WORD}", use="legal")],
        birth_date="1980-05-17",
        emails=[Email(value=f"{WORD}@example.org", raw=f"{WORD}@example.org")],
        phones=[Phone(value="+37255501234", raw="5550 1234", use="mobile")],
        addresses=[Address(house="12", street=f"{WORD} street", locality="Tallinn", postcode="10115", country="EE")],
        accounts=[Account(id=WORD, type="postpaid", status=account)],
    )
