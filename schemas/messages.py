"""The messages between processors, and the one codec they travel in.

An inbox carries a small tagged union, so no processor joins two topics:

    records    SourceChange (from intake) | MembershipChanged (from identity) | Sweep (from itself)
    identity   RecordIdentity (from records) | Restate | RestateMembers (from customers) | Regroup (from itself)
    customers  MemberAttached | MemberUpdated | MemberDetached (from records) | EntityChanged (from identity)
               | ViewDue | Sweep (from itself) | Republish (from an operator, then itself)
    each       Tick (from whoever owns the partition, or from an operator)

Encoding: one version byte, then MessagePack (msgspec). Fields may be added with a default; a reader ignores fields it does
not know. A reader that meets a newer version than it knows stops its partition. So what an older reader must not ignore, or
does not know at all, is written with a higher version than the rest: see `Codec`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

import msgspec

from schemas.canonical import Attributes
from schemas.position import Position, compare, plain

FIRST_VERSION = 1
"""What singleview 0.1.0 reads."""

VERSION = 2
"""The newest this singleview reads. 2: `Tick`, `Republish`, positions of more than 64 bits, and all that asks again."""


class Cause(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The source event behind a message."""

    ref: str  # source topic/partition/offset; empty: of no event, it was asked for again
    time: int  # event time, ms since the epoch
    trace: str = ""  # W3C traceparent, carried on


TEXT_SCOPE = "text"
"""The scope of positions that hold text."""


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where an event stands among the events of its record.

    Compared element by element within one scope (`seq`, `text`, `time`, `lsn` and other logs of databases: declared by the
    mapping; `p<partition>`: the last resort, by source epoch and offset). Different scopes are incomparable: the event is
    accepted and counted.
    """

    scope: str
    position: Position

    @property
    def codec_version(self) -> int:
        """Of what it is part of: 0.1.0 reads 64-bit integers only."""
        return FIRST_VERSION if plain(self.position) else 2

    def compare(self, written: Order) -> int | None:
        """Below, at or above 0 as an event of this order is older than, at the position of, or newer than the one that
        wrote a value; None if they are incomparable."""
        if self.scope != written.scope:
            return None
        mine, theirs = self.position, written.position
        if mine == theirs:
            return 0
        if self.scope != TEXT_SCOPE:
            try:
                return 1 if mine > theirs else -1
            except TypeError:  # places of two kinds
                pass
        return compare(mine, theirs)


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t", gc=False):
    """Base of all messages between processors."""


class SourceChange(Message, frozen=True, kw_only=True, tag="change"):
    """A source's event in canonical form. Key of the inbox: `record`."""

    record: str  # realm/source/id
    operation: Literal["snapshot", "patch", "delete"]
    order: Order
    attributes: Attributes
    cause: Cause

    @property
    def codec_version(self) -> int:
        return self.order.codec_version


class Grown(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is expected of a customer that nothing happened to but that a record joined it: an `EntityChanged` that travels
    with the record."""

    epoch: int
    count: int
    digest: int
    aliases: tuple[str, ...] = ()


class MembershipChanged(Message, frozen=True, kw_only=True, tag="membership"):
    """A record now belongs to another customer, or to none (it was deleted). Key: `record`."""

    record: str
    sequence: int  # per record, from identity; lower or equal is ignored
    customer: str | None
    cause: Cause
    grown: Grown | None = None  # of `customer`; no EntityChanged is sent then
    again: bool = False  # a repetition: `records` sends the whole content again, whatever it knew of the membership
    asked: str | None = None  # of a repetition: the customer that asked, which is to know if the record is not its member

    @property
    def codec_version(self) -> int:
        return 2 if self.again else 1


class RecordIdentity(Message, frozen=True, kw_only=True, tag="identity"):
    """What identity needs of a record: only `IDENTITY_ATTRIBUTES` are set. Key: the realm."""

    record: str
    version: int  # record version; lower or equal is ignored
    attributes: Attributes | None  # None: the record was deleted
    cause: Cause
    again: bool = False  # no answer came: identity repeats the membership, also if the version is not higher

    @property
    def codec_version(self) -> int:
        return 2 if self.again else 1


class Regroup(Message, frozen=True, kw_only=True, tag="regroup"):
    """Identity's note to itself: continue re-grouping a realm after a change of size class. Key: the realm."""

    realm: str
    generation: int
    cursor: str  # last record done; empty to begin
    cause: Cause


class Restate(Message, frozen=True, kw_only=True, tag="restate"):
    """A customer is not what identity expects, and has not been for a while. Key: the realm.

    Identity answers with what it expects now, and repeats the memberships that the customer lacks or should not have.
    """

    codec_version: ClassVar[int] = 2

    realm: str
    customer: str
    epoch: int  # of the newest EntityChanged that came; 0: none did
    held: tuple[str, ...] | None  # its members; None: too many, all memberships are repeated and `RestateMembers` names them
    after: int | None = None  # of identity to itself: go on behind the member of this tenure


class RestateMembers(Message, frozen=True, kw_only=True, tag="restate-members"):
    """Some members of a customer that asks: those that identity has elsewhere are to leave it. Key: the realm."""

    codec_version: ClassVar[int] = 2

    realm: str
    customer: str
    held: tuple[str, ...]


class Sweep(Message, frozen=True, kw_only=True, tag="sweep"):
    """A processor's note to itself: go on looking through its rows for what waits for an answer, and ask again. Without a
    key, to a partition."""

    codec_version: ClassVar[int] = 2

    time: int  # of the tick it began with, ms
    after: str = ""  # the last record or customer looked at
    all: bool = False  # every record, also those that lack nothing


class Member(Message, frozen=True, kw_only=True):
    """Base of the three member messages: key `customer`, ordered by `sequence` per record."""

    customer: str
    record: str
    sequence: int  # counts this record's member messages; lower or equal is ignored, also after a detach
    cause: Cause


class MemberAttached(Member, frozen=True, kw_only=True, tag="attached"):
    """The record is now a member; its whole content comes with it."""

    version: int
    attributes: Attributes
    times: dict[str, int]  # per attribute (`characteristics.<key>` for those): event time of its value, ms
    grown: Grown | None = None  # as identity told it with the membership


class MemberUpdated(Member, frozen=True, kw_only=True, tag="updated"):
    """The content of a member changed; whole, as in `MemberAttached`."""

    version: int
    attributes: Attributes
    times: dict[str, int]


class MemberDetached(Member, frozen=True, kw_only=True, tag="detached"):
    """The record is no longer a member of this customer."""


class EntityChanged(Message, frozen=True, kw_only=True, tag="entity"):
    """The member set of a customer changed. Key: `customer`.

    `customers` publishes when the members it holds have this count and digest: never half of a merge.
    """

    customer: str
    realm: str
    epoch: int  # per customer; lower or equal is ignored
    count: int
    digest: int  # XOR of `member_digest_of` over the members
    aliases: tuple[str, ...] = ()  # ids merged into this one, now
    merged_into: str | None = None  # where the members went, if it was merged away
    absorbed: tuple[str, ...] = ()  # ids merged into this one by this change
    split_from: str | None = None  # the id these members belonged to before this change
    split_to: tuple[str, ...] = ()  # ids that took members away by this change
    cause: Cause


class ViewDue(Message, frozen=True, kw_only=True, tag="due"):
    """The note of `customers` to itself: publish a customer of many members, once for all since. Key: `customer`."""

    customer: str


class Republish(Message, frozen=True, kw_only=True, tag="republish"):
    """Publish every view of the partition again, as it was last: from an operator's command, one for each partition, then
    from `customers` to itself. Key: a customer of the partition, or none from the command."""

    codec_version: ClassVar[int] = 2

    after: bytes = b""  # the last row looked at


class Tick(Message, frozen=True, kw_only=True, tag="tick"):
    """Time, as a processor with a store sees it: one for each partition of its inbox, without a key, written when something
    there is due (`streams.engine.due`), or by an operator's command. More than one may come for the same moment."""

    codec_version: ClassVar[int] = 2

    time: int  # ms since the epoch, by the clock of whoever wrote it
    everything: bool = False  # from a command: also do now what waits for a later time
    parked: bool = False  # it concerns messages to be tried again alone; the processor does not see it


def member_digest_of(record: str) -> int:
    """One record's part of `EntityChanged.digest`: the digest of a member set is the XOR over its records."""
    return int.from_bytes(blake2b(record.encode(), digest_size=8).digest(), "big")


RecordsInbox = SourceChange | MembershipChanged | Sweep | Tick
IdentityInbox = RecordIdentity | Regroup | Restate | RestateMembers | Tick
CustomersInbox = MemberAttached | MemberUpdated | MemberDetached | EntityChanged | ViewDue | Republish | Sweep | Tick

T = TypeVar("T")


class UnknownVersionError(Exception):
    """A message or row was written by a newer singleview: stop and upgrade, do not guess."""


class Codec(Generic[T]):
    """Version byte and MessagePack of one type, for messages between processors and for rows of the stores.

    Reads every version up to `VERSION`. Writes the lowest that says enough: 1, or what the value's `codec_version` says. A
    class sets that (a class variable, or a property that looks at the value) when an older reader must not take it for one
    of its own.
    """

    __slots__ = ("_decoder", "_encoder", "_versioned")

    def __init__(self, of: Any) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(of)
        self._versioned = frozenset(kind for kind in get_args(of) or (of,) if hasattr(kind, "codec_version"))

    def encode(self, value: T) -> bytes:
        if type(value) in self._versioned:
            return bytes([value.codec_version]) + self._encoder.encode(value)  # type: ignore[attr-defined]
        return _FIRST + self._encoder.encode(value)

    def decode(self, data: bytes) -> T:
        """Raises UnknownVersionError for a newer version, msgspec.DecodeError for bytes that are not of this type."""
        if not data or not FIRST_VERSION <= data[0] <= VERSION:
            raise UnknownVersionError(f"version {data[0] if data else 'none'}, this singleview reads up to {VERSION}")
        return self._decoder.decode(data[1:])  # a copy is cheaper than a view, as rows are small


_FIRST = bytes([FIRST_VERSION])

RECORDS: Codec[RecordsInbox] = Codec(RecordsInbox)
IDENTITY: Codec[IdentityInbox] = Codec(IdentityInbox)
CUSTOMERS: Codec[CustomersInbox] = Codec(CustomersInbox)
TICK: Codec[Tick] = Codec(Tick)
