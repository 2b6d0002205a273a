"""The rows of the `customers` store.

    <customer>/c            one CustomerRow
    <customer>/m/<record>   one MemberRow a record that is or was a member
    TALLY_KEY               a Tally

A customer of ordinary size names its members in its row, so they are fetched by key; a larger one is scanned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET

from schemas.canonical import Attributes
from schemas.messages import Cause, Codec, UnknownVersionError
from schemas.public import PublicCodec
from schemas.view import CustomerView
from streams.engine.contract import DamagedStoreError, Store
from streams.survivorship import MemberContent

INLINE_MEMBERS = 64
"""Up to here the customer's row names the members. The row is rewritten with each of their messages: keep it small."""

MAX_CAUSES = 16

TALLY_KEY = b"\x00tally"

FEW = 4
"""Attributes: so few of a member are read so quickly that they need not be remembered."""


class MemberRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a record last said as a member of this customer. Stays after a detach, for its sequence."""

    sequence: int
    attributes: Attributes | None = None  # None: detached
    times: dict[str, int] = {}

    @property
    def attached(self) -> bool:
        return self.attributes is not None


class Pending(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What happened since the last publication and the next one will tell."""

    causes: list[Cause] = []  # the newest
    cause_count: int = 0
    event_time: int = 0  # of the newest by event time
    absorbed: list[str] = []
    split_from: str | None = None
    split_to: list[str] = []
    touched: list[str] = []  # attributes in which members differ, by name

    def add(self, cause: Cause) -> None:
        """One event is one cause, however many messages it led to; what was asked for again is none."""
        if cause in self.causes:
            return
        self.event_time = max(self.event_time, cause.time)
        if cause.ref:
            self.causes = [*self.causes, cause][-MAX_CAUSES:]
            self.cause_count += 1

    @property
    def trace(self) -> str:
        """Of the newest cause that has one."""
        return next((cause.trace for cause in reversed(self.causes) if cause.trace), "")


class Published(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A view as published, its attributes as they were encoded and told: the next one copies those that did not change."""

    view: CustomerView  # without its attributes
    format: str = ""  # of the pieces
    totals: dict[str, int] = {}  # of the attributes
    pieces: dict[str, bytes] = {}  # by attribute: as `PublicCodec` encodes it; cut
    shortened: tuple[str, ...] = ()  # attributes of which a text lacks its end
    told: dict[str, str] = {}  # by attribute, `characteristics.<key>` for those: its value as changes tell it


NOT_PUBLISHED = msgspec.Raw()
_encode_published = msgspec.msgpack.Encoder().encode
_decode_published = msgspec.msgpack.Decoder(Published).decode


class CustomerRow(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One customer: what identity expects, what is held, and the view as last published."""

    realm: str
    epoch: int = 0  # of the newest EntityChanged; 0: none yet
    expected_count: int = 0
    expected_digest: int = 0
    count: int = 0
    digest: int = 0
    members: list[str] | None = []  # record keys in order; None: too many, scan
    aliases: tuple[str, ...] = ()
    merged_into: str | None = None
    due_at: int = 0  # when a ViewDue was sent that has not come yet, ms; 0: none was
    published_at: int = 0  # ms; only of one with too many members to be named
    ask_at: int = 0  # when identity is asked what is lacking, ms; 0: it is settled
    asked: int = 0  # how often it was
    pending: Pending = msgspec.field(default_factory=Pending)
    raw_published: msgspec.Raw = msgspec.field(default=NOT_PUBLISHED, name="published")
    """Encoded, as most messages of a customer do not look at it."""

    @property
    def published(self) -> Published | None:
        """The view as last published."""
        return _decode_published(self.raw_published) if self.raw_published != NOT_PUBLISHED else None

    def keep(self, published: Published) -> None:
        """Remember a view as published."""
        self.raw_published = msgspec.Raw(_encode_published(published))

    @property
    def settled(self) -> bool:
        """Whether the members held are exactly those identity last told of."""
        return self.epoch > 0 and self.count == self.expected_count and self.digest == self.expected_digest


class Inline(msgspec.Struct, kw_only=True):
    """The part of a CustomerRow that prefetching needs: cheap to decode."""

    members: list[str] | None = []


class Tally(msgspec.Struct, kw_only=True):
    """Counts that are part of the state, so that a crash neither loses nor doubles them."""

    unsettled: int = 0  # customers with an `ask_at`
    asking: int = 0  # those of them that have asked: they are so for long


CUSTOMER_ROW: Codec[CustomerRow] = Codec(CustomerRow)
TALLIES: Codec[Tally] = Codec(Tally)
INLINE: Codec[Inline] = Codec(Inline)
MEMBER_ROW: Codec[MemberRow] = Codec(MemberRow)


def customer_key(customer: str) -> bytes:
    return f"{customer}/c".encode()


def member_key(customer: str, record: str) -> bytes:
    return f"{customer}/m/{record}".encode()


def member_prefix(customer: str) -> bytes:
    return f"{customer}/m/".encode()


def customers_after(store: Store, after: str) -> Iterator[str]:
    """The customers behind this id, in order; their members are passed over. Do not write meanwhile."""
    place = f"{after}/n".encode() if after else None  # behind its members
    while (found := next(iter(store.scan(b"c", place)), None)) is not None:
        customer = found[0].partition(b"/")[0].decode()
        yield customer
        place = f"{customer}/n".encode()


def read_row(store: Store, customer: str) -> CustomerRow | None:
    data = store.get(customer_key(customer))
    return CUSTOMER_ROW.decode(data) if data is not None else None


def read_view(store: Store, customer: str, codec: PublicCodec) -> CustomerView | None:
    """The view as last published; None for an id never published. Raises UnknownVersionError for one of another schema."""
    row = read_row(store, customer)
    published = row.published if row else None
    if published is None:
        return None
    if published.pieces and published.format != codec.format:
        raise UnknownVersionError(f"the view of {customer} was published in another schema, and not since")
    return codec.decode_view(codec.encode_pieces(published.view, published.pieces))


class MemberRows:
    """Member rows by their bytes: in a batch, most are read soon after they were written, and more than once.

    Decoding is pure, so what is remembered of a message that is undone does no harm.
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, MemberRow] = {}

    def encode(self, row: MemberRow) -> bytes:
        data = MEMBER_ROW.encode(row)
        self._rows[data] = row
        return data

    def decode(self, data: bytes) -> MemberRow:
        row = self._rows.get(data)
        if row is None:
            row = self._rows[data] = MEMBER_ROW.decode(data)
        return row

    def reader(self, names: frozenset[str]) -> Callable[[bytes], MemberRow]:
        """Decodes rows as far as these attributes need it; others may be lacking. `FEW` are not remembered."""
        if len(names) > FEW:
            return self.decode
        known, some = self._rows, some_of(names)
        return lambda data: known.get(data) or some.decode(data)

    def forget(self) -> None:
        self._rows.clear()


@lru_cache(maxsize=256)
def some_of(names: frozenset[str]) -> Codec[MemberRow]:
    """Reads member rows with these attributes only: what is skipped costs next to nothing. Not for writing."""
    stated = [(name, _TYPES[name], UNSET) for name in sorted(names)]
    attributes = msgspec.defstruct("SomeAttributes", stated, kw_only=True)
    optional: Any = attributes | None
    return Codec(msgspec.defstruct("SomeOfMember", [("attributes", optional, None), ("times", dict[str, int], {})]))


_TYPES = get_type_hints(Attributes)


def read_members(
    store: Store,
    customer: str,
    named: Sequence[str] | None = None,
    decode: Callable[[bytes], MemberRow] = MEMBER_ROW.decode,
) -> Iterator[MemberContent]:
    """The members of a customer with what they state, in the order of their keys; `named` saves the scan.

    Raises DamagedStoreError if a named one has no row: a view without it would be wrong.
    """
    for record, data in _named_rows(store, customer, named) if named is not None else _all_rows(store, customer):
        row = decode(data)
        if row.attributes is not None:
            yield MemberContent(record, row.attributes, row.times)


def _all_rows(store: Store, customer: str) -> Iterator[tuple[str, bytes]]:
    prefix = member_prefix(customer)
    return ((key[len(prefix) :].decode(), data) for key, data in store.scan(prefix))


def _named_rows(store: Store, customer: str, named: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """One by one: they were fetched together when the batch was prepared, or written since."""
    for record in named:
        data = store.get(member_key(customer, record))
        if data is None:
            raise DamagedStoreError(f"customer {customer} names member {record}, whose row is missing: rebuild the store")
        yield record, data
