"""records: the latest canonical record of every source record (eTOM 1.3.6.1, 1.3.6.2, 1.3.16).

Inbox keyed by source record. Decides what of an event is stale, attribute by attribute, keeps the record whole, tells
`identity` when something it looks at has changed, and `customers` whatever has changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from msgspec import UNSET, structs

from schemas.asking import pause_ms
from schemas.canonical import ATTRIBUTES, IDENTITY_ATTRIBUTES, Attributes, realm_of
from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import (
    FIRST_VERSION,
    Cause,
    Codec,
    CustomersInbox,
    MemberAttached,
    MemberDetached,
    MembershipChanged,
    MemberUpdated,
    Order,
    RecordIdentity,
    SourceChange,
    Sweep,
    Tick,
)
from schemas.messages import IDENTITY as IDENTITY_CODEC
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.topics import CUSTOMERS, IDENTITY
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.due import cancel, schedule, take_due
from streams.engine.roll import enter, names_due

DUE_A_TICK = 20
RECORDS_A_SWEEP = 500
"""Looked at for one message: some ten milliseconds of work. Behind what is due there are up to 32 records each."""

LARGEST_RECORD_BYTES = 4 << 20
"""Of a row: four times what is read of one event. Its content must fit into one message, with a time for each value."""

EXISTS = "(exists)"
CHARACTERISTIC = "characteristics."
RECORD_PREFIX = b"r/"
TALLY_KEY = b"\x00tally"
MAX_MET = 16
"""Events of one position that a row tells from each other: a second of a busy record, where the source counts seconds."""

_LOG_SCOPE = re.compile(r"p\d+")
BY_SOURCE = TALLY_KEY + b"/"  # before realm/source: how many records of it exist, as a decimal number
_encode = msgspec.msgpack.Encoder().encode
NO_ATTRIBUTES = msgspec.Raw(_encode(Attributes()))
_LISTED = tuple(name for name in ATTRIBUTES if name != "characteristics")
_listed: Callable[[Attributes], tuple[Any, ...]] = attrgetter(*_LISTED)
_identity: Callable[[Attributes], tuple[Any, ...]] = attrgetter(*IDENTITY_ATTRIBUTES)


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What wrote a value: its order, its event time in ms, and where it was read."""

    order: Order
    time: int
    partition: int = 0  # `_partition_digest` of where it was read; 0: written by 0.1.0, which did not keep it
    offset: int = 0
    met: tuple[
        bytes, ...
    ] = ()  # digests of the events met at this position, at most MAX_MET; empty: only of this one, not made


class RowBase(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a record's row holds besides the record's attributes."""

    exists: bool = False
    base: Stamp | None = None  # the newest snapshot or delete: it wrote everything that has no stamp of its own
    stamps: dict[str, Stamp] = {}  # by attribute, `characteristics.<key>`, or EXISTS
    version: int = 0  # goes up with every change
    customer: str | None = None
    membership_sequence: int = 0  # highest seen from identity
    member_sequence: int = 0  # last one sent to customers
    identity_digest: bytes = b""  # of what identity was last told
    ask_at: int = 0  # when identity is asked for the membership again, ms; 0: the record has one, or needs none
    asked: int = 0  # how often it was

    @property
    def codec_version(self) -> int:
        base = FIRST_VERSION if self.base is None else self.base.order.codec_version
        return max(base, *(stamp.order.codec_version for stamp in self.stamps.values())) if self.stamps else base


class RecordRow(RowBase, omit_defaults=True, kw_only=True):
    """One source record. A deleted one stays as a row, so that late events are still seen to be late."""

    attributes: Attributes = msgspec.field(default_factory=Attributes)  # only attributes with a value are set


class UnreadRow(RowBase, omit_defaults=True, kw_only=True):
    """A `RecordRow` whose attributes are only carried on, as they are encoded: a new membership does not look at them."""

    attributes: msgspec.Raw = NO_ATTRIBUTES


class Tally(msgspec.Struct, kw_only=True):
    """Counts that are part of the state, so that a crash neither loses nor doubles them."""

    records: int = 0  # that exist
    events: int = 0
    stale: int = 0  # events of which nothing was new
    partly_stale: int = 0
    incomparable: int = 0  # events accepted although their order could not be compared
    backwards: int = 0  # stale events that happened later than what they are stale against, by their own times
    without_customer: int = 0  # records that wait for their membership
    asking: int = 0  # those of them for which identity was asked again: they wait for long


RECORD_ROWS: Codec[RecordRow] = Codec(RecordRow)
UNREAD_ROWS: Codec[UnreadRow] = Codec(UnreadRow)
TALLIES: Codec[Tally] = Codec(Tally)


def row_key(record: str) -> bytes:
    """Where a record's row is stored."""
    return RECORD_PREFIX + record.encode()


class Records:
    """Keeps every source record whole, each attribute as its newest event wrote it."""

    name = "records"

    def __init__(self) -> None:
        self._tally = Tally()
        self._tally_as_stored = b""  # the row that `_tally` was read from or written to

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([b"r/" + message.key for message in batch if message.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if message.value is None:
            raise RejectedError("empty-message", "a message of this inbox has no value")
        match RECORDS_CODEC.decode(message.value):
            case SourceChange() as change:
                self._change(change, message.timestamp, store, out)
            case MembershipChanged() as membership:
                self._membership(membership, message.timestamp, store, out)
            case Tick() as tick:
                self._tick(tick, message, store, out)
            case Sweep() as sweep:
                self._sweep(sweep, message, store, out)

    def _change(self, change: SourceChange, now: int, store: Store, out: Outbox) -> None:
        row = _load(store, change.record)
        existed = row.exists
        merge = Merge(row, change)
        merge.run()
        waits = _watch(row, change.record, now, store) if merge.accepted else NO_CHANGE
        self._count(store, merge, waits, existed=existed)
        if row.exists != existed:
            _count_by_source(store, change.record, 1 if row.exists else -1)
        if not merge.accepted:
            if merge.noted:
                store.put(row_key(change.record), RECORD_ROWS.encode(row))
            return
        row.version += 1
        self._tell_identity(row, change, out)
        if row.customer is not None and row.exists:
            _tell_customer(row, row.customer, MemberUpdated, change, out, **_content(row))
        data = RECORD_ROWS.encode(row)
        if len(data) > LARGEST_RECORD_BYTES:
            raise RejectedError(
                "too-large", f"the record would have {len(data):,} bytes, more than {LARGEST_RECORD_BYTES:,}"
            )
        store.put(row_key(change.record), data)

    def _tell_identity(self, row: RecordRow, change: SourceChange, out: Outbox) -> None:
        visible, digest = _visible(row)
        if digest == row.identity_digest or (visible is None and not row.identity_digest):
            return
        row.identity_digest = digest
        told = RecordIdentity(record=change.record, version=row.version, attributes=visible, cause=change.cause)
        out.send(IDENTITY, realm_of(change.record).encode(), IDENTITY_CODEC.encode(told))

    def _membership(self, membership: MembershipChanged, now: int, store: Store, out: Outbox) -> None:
        found = store.get(row_key(membership.record))
        if found is None:
            raise RejectedError("unknown-record", "identity speaks of a record that was never seen")
        row = UNREAD_ROWS.decode(found)
        before = row.customer
        if membership.sequence > row.membership_sequence:
            row.membership_sequence = membership.sequence
            row.customer = membership.customer
        elif not membership.again:
            return
        for customer in dict.fromkeys((before, membership.asked)):
            if customer is not None and customer != row.customer:
                _tell_customer(row, customer, MemberDetached, membership, out)
        grown = membership.grown if membership.customer == row.customer else None  # a late repetition tells of another
        if row.customer is not None and (before != row.customer or membership.again or grown is not None):
            _tell_customer(row, row.customer, MemberAttached, membership, out, grown=grown, **_content(row))
        waits = _watch(row, membership.record, now, store)
        if waits is not NO_CHANGE:
            self._add_waiting(store, waits)
        store.put(row_key(membership.record), UNREAD_ROWS.encode(row))

    def _tick(self, tick: Tick, message: Message, store: Store, out: Outbox) -> None:
        """Ask again for the memberships that have not come for a while; everything: of every record without one."""
        due = [name for each in take_due(store, tick.time, DUE_A_TICK) for name in names_due(store, each)]
        store.load(map(row_key, due))
        for name in due:
            found = store.get(row_key(name))
            if found is not None and 0 < UNREAD_ROWS.decode(found).ask_at <= tick.time:  # not yet, if it has asked since
                self._ask_again(name, tick.time, store, out, anyway=False)
        if tick.everything:
            _go_on(Sweep(time=tick.time), message, out)

    def _sweep(self, sweep: Sweep, message: Message, store: Store, out: Outbox) -> None:
        """Look through the next records."""
        rows = list(islice(store.scan(RECORD_PREFIX, row_key(sweep.after)), RECORDS_A_SWEEP))
        names = [key[len(RECORD_PREFIX) :].decode() for key, _ in rows]
        for name, (_, data) in zip(names, rows, strict=True):
            if sweep.all or _lacks_customer(UNREAD_ROWS.decode(data)):
                self._ask_again(name, sweep.time, store, out, anyway=sweep.all)
        if len(rows) == RECORDS_A_SWEEP:
            _go_on(msgspec.structs.replace(sweep, after=names[-1]), message, out)

    def _ask_again(self, record: str, now: int, store: Store, out: Outbox, *, anyway: bool) -> None:
        """Tell identity of a record once more, and ask for its membership, if it has none, or anyway."""
        row = _load(store, record)
        lacks = _lacks_customer(row)
        if not lacks and not anyway:
            return
        visible, digest = _visible(row)
        row.identity_digest = digest
        cause = Cause("", max(_times(row).values(), default=0))
        told = RecordIdentity(record=record, version=row.version, attributes=visible, cause=cause, again=True)
        out.send(IDENTITY, realm_of(record).encode(), IDENTITY_CODEC.encode(told))
        if lacks:
            if row.asked:
                cancel(store, row.ask_at, record.encode())
            self._add_waiting(store, Waits(int(not row.ask_at), int(not row.asked)))
            row.asked += 1
            row.ask_at = now + pause_ms(row.asked)
            schedule(store, row.ask_at, record.encode())
        store.put(row_key(record), RECORD_ROWS.encode(row))

    def _add_waiting(self, store: Store, more: Waits) -> None:
        tally = self._read_tally(store)
        tally.without_customer += more.waiting
        tally.asking += more.asking
        self._write_tally(store, tally)

    def _count(self, store: Store, merge: Merge, waits: Waits, *, existed: bool) -> None:
        tally = self._read_tally(store)
        tally.events += 1
        tally.records += merge.row.exists - existed
        tally.stale += not merge.accepted
        tally.partly_stale += bool(merge.accepted and merge.stale)
        tally.incomparable += merge.incomparable
        tally.backwards += merge.backwards
        tally.without_customer += waits.waiting
        tally.asking += waits.asking
        self._write_tally(store, tally)

    def _read_tally(self, store: Store) -> Tally:
        """To be changed, and written then."""
        found = store.get(TALLY_KEY)
        tally = self._tally if found == self._tally_as_stored else TALLIES.decode(found) if found else Tally()
        self._tally_as_stored = b""  # until it is stored: else a message that is undone would leave its counts here
        return tally

    def _write_tally(self, store: Store, tally: Tally) -> None:
        data = TALLIES.encode(tally)
        store.put(TALLY_KEY, data)
        self._tally, self._tally_as_stored = tally, data


class Merge:
    """One event merged into a row, each attribute by its own order.

    The result does not depend on the order of arrival, as long as orders are comparable: for every attribute the event
    with the highest order that names it has written it. A snapshot or delete names all attributes.

    An event at the position of another is its repetition if their contents are equal, too. If not, the later offset of one
    partition is the newer; of two partitions neither is: the one that comes last is accepted, and counted as incomparable.
    """

    def __init__(self, row: RecordRow, change: SourceChange) -> None:
        self.row = row
        self.accepted = 0
        self.stale = 0
        self.incomparable = False
        self.backwards = False  # it happened later than what it is stale against: has the source's order gone back?
        self.noted = False  # the row has changed although the event is stale
        self._change = change
        where, _, offset = change.cause.ref.rpartition("/")
        self._stamp = Stamp(change.order, change.cause.time, _partition_digest(where), _offset(offset))
        self._whole = change.operation != "patch"
        self._base_before = row.base

    def run(self) -> None:
        row, base = self.row, self.row.base
        if self._whole and not row.stamps and (base is None or base.order != self._change.order):
            self._replace()
            return
        row.stamps = dict(row.stamps)
        if base is not None and not row.stamps and not base.met:
            row.base = self._base_before = structs.replace(base, met=(_digest_of_row(row),))
        met = self._met_here()
        digest = _digest_of(self._change)
        if digest in met:
            self.stale = 1
            return
        self._stamp = structs.replace(self._stamp, met=(*met, digest)[-MAX_MET:])
        if self._whole and self._wins(row.base):
            row.base = self._stamp
        if self._name(EXISTS):
            row.exists = self._change.operation != "delete"
        written: dict[str, Any] = {
            name: UNSET if value is None else value
            for name, value in zip(_LISTED, _listed(self._change.attributes), strict=False)
            if (self._whole or value is not UNSET) and self._name(name)
        }
        written["characteristics"] = self._characteristics() or UNSET
        row.attributes = structs.replace(row.attributes, **written)

    def _replace(self) -> None:
        """A snapshot or delete of a record that the one before wrote all of, as most are: one comparison decides."""
        row = self.row
        if not self._wins(row.base):
            self.stale = 1
            return
        self.accepted = 1
        row.base = self._stamp
        row.exists = self._change.operation != "delete"
        row.attributes = _stated_only(self._change.attributes)

    def _met_here(self) -> tuple[bytes, ...]:
        """Digests of the events that the row has met at the position of this one."""
        order = self._change.order
        stamps = [stamp for stamp in (self.row.base, *self.row.stamps.values()) if stamp and stamp.order == order]
        return tuple(dict.fromkeys(digest for stamp in stamps for digest in stamp.met))

    def _characteristics(self) -> dict[str, str | None]:
        said = self._change.attributes.characteristics
        new: dict[str, str | None] = dict(said) if said else {}
        old: dict[str, str | None] = dict(self.row.attributes.characteristics or {})
        names = dict.fromkeys(new)
        if self._whole:  # also those it does not mention, and those a patch has emptied before
            names |= dict.fromkeys(old)
            names |= dict.fromkeys(
                key.removeprefix(CHARACTERISTIC) for key in self.row.stamps if key.startswith(CHARACTERISTIC)
            )
        for key in names:
            if self._name(CHARACTERISTIC + key):
                old[key] = new.get(key)
        return {key: value for key, value in sorted(old.items()) if value is not None}

    def _name(self, attribute: str) -> bool:
        """Whether this event writes an attribute that it names; keeps its stamp if so."""
        stamps = self.row.stamps
        own = stamps.get(attribute)
        written = own or self._base_before
        if not self._wins(written):
            self.stale += 1
            if written is not None and written.met and written.order == self._change.order:
                self._note(attribute, own)
            return False
        self.accepted += 1
        if not self._whole:
            stamps[attribute] = self._stamp
        elif own is not None:
            del stamps[attribute]
        return True

    def _note(self, attribute: str, own: Stamp | None) -> None:
        """It was met at the position of what is newer by its offset: repeated under another offset, it is not to win."""
        self.noted = True
        if own is not None:
            self.row.stamps[attribute] = structs.replace(own, met=self._stamp.met)
        elif self.row.base is not None:
            self.row.base = structs.replace(self.row.base, met=self._stamp.met)

    def _wins(self, written: Stamp | None) -> bool:
        if written is None:
            return True
        stamp = self._stamp
        elsewhere = written.partition != stamp.partition
        order = stamp.order.compare(written.order)
        if order is None or (elsewhere and written.partition and _LOG_SCOPE.fullmatch(stamp.order.scope)):
            self.incomparable = True
            return True
        if order < 0 and stamp.time > written.time:
            self.backwards = True
        if order or not written.met:  # 0.1.0 did not keep what it met: an event at the same position counts as met
            return order > 0
        self.incomparable |= elsewhere
        return elsewhere or stamp.offset >= written.offset


@lru_cache(maxsize=4096)
def _partition_digest(where: str) -> int:
    """Tells a topic's partition from another, in four bytes; never 0."""
    return crc32(where.encode()) or 1


def _offset(text: str) -> int:
    """Of a message; of one of its rows, `5#2`, the message's: its rows come in their order."""
    try:
        return int(text)
    except ValueError:
        number = text.partition("#")[0]
        return int(number) if number.isdecimal() else 0


def _stated_only(said: Attributes) -> Attributes:
    """What a snapshot says without what it empties: as it stands in a row that it wrote all of."""
    stated = zip(_LISTED, _listed(said), strict=False)
    values: dict[str, Any] = {name: value for name, value in stated if value is not None and value is not UNSET}
    if said.characteristics:
        kept = {key: value for key, value in sorted(said.characteristics.items()) if value is not None}
        if kept:
            values["characteristics"] = kept
    return Attributes(**values)


def _digest_of(change: SourceChange) -> bytes:
    """Tells one content of an event from another."""
    said = change.attributes
    if change.operation != "patch":
        said = _stated_only(said)
    elif said.characteristics:
        said = structs.replace(said, characteristics=dict(sorted(said.characteristics.items())))
    return _digest(change.operation, said)


def _digest_of_row(row: RecordRow) -> bytes:
    """As `_digest_of` of the one event that wrote all of a row."""
    return _digest("snapshot" if row.exists else "delete", row.attributes)


def _digest(operation: str, said: Attributes) -> bytes:
    return hashlib.blake2b(_encode((operation, said)), digest_size=8).digest()


def _count_by_source(store: Store, record: str, change: int) -> None:
    """Never below zero: records of a store that a release before made were not counted."""
    key = BY_SOURCE + "/".join(record.split("/", 2)[:2]).encode()
    store.put(key, b"%d" % max(0, int(store.get(key) or b"0") + change))


def records_by_source(store: Store) -> dict[tuple[str, str], int]:
    """How many records there are of each realm and source."""
    found = {}
    for key, count in store.scan(BY_SOURCE):
        realm, _, source = key.removeprefix(BY_SOURCE).decode().partition("/")
        found[realm, source] = int(count)
    return found


def _load(store: Store, record: str) -> RecordRow:
    found = store.get(row_key(record))
    return RECORD_ROWS.decode(found) if found else RecordRow()


def _visible(row: RecordRow) -> tuple[Attributes | None, bytes]:
    """What identity sees of a record, and its digest."""
    visible = _identity_part(row.attributes) if row.exists else None
    return visible, hashlib.blake2b(_encode(visible), digest_size=8).digest()


def _lacks_customer(row: RecordRow | UnreadRow) -> bool:
    return row.exists and row.customer is None


class Waits(NamedTuple):
    """How many records more wait for their membership."""

    waiting: int = 0
    asking: int = 0  # for long


NO_CHANGE = Waits()
ONE_MORE = Waits(1)


def _watch(row: RecordRow | UnreadRow, record: str, now: int, store: Store) -> Waits:
    """Have identity asked again, after a while, if a record has no customer; no more once it has one."""
    waits = _lacks_customer(row)
    if waits == (row.ask_at > 0):
        return NO_CHANGE
    if waits:
        row.ask_at = enter(store, record, now, pause_ms(0))
        return ONE_MORE
    if row.asked:
        cancel(store, row.ask_at, record.encode())
    less = Waits(-1, -int(row.asked > 0))
    row.ask_at = row.asked = 0
    return less


def _go_on(sweep: Sweep, message: Message, out: Outbox) -> None:
    out.send_to(message.topic, message.partition, None, RECORDS_CODEC.encode(sweep))


def _identity_part(attributes: Attributes) -> Attributes:
    return Attributes(**dict(zip(IDENTITY_ATTRIBUTES, _identity(attributes), strict=False)))


def _tell_customer(
    row: RecordRow | UnreadRow,
    customer: str,
    kind: Callable[..., CustomersInbox],
    about: SourceChange | MembershipChanged,
    out: Outbox,
    **content: object,
) -> None:
    """Send a customer the next message about this record."""
    row.member_sequence += 1
    told = kind(customer=customer, record=about.record, sequence=row.member_sequence, cause=about.cause, **content)
    out.send(CUSTOMERS, customer.encode(), CUSTOMERS_CODEC.encode(told))


def _content(row: RecordRow | UnreadRow) -> dict[str, object]:
    """What customers are told of a record. Attributes may be encoded already: a message is encoded field by field."""
    return {"version": row.version, "attributes": row.attributes, "times": _times(row)}


def _times(row: RecordRow | UnreadRow) -> dict[str, int]:
    """Event time of every value, ms."""
    base = row.base.time if row.base else 0
    stamps = row.stamps
    return {name: stamps[name].time if name in stamps else base for name in _stated(row.attributes)}


def _stated(attributes: Attributes | msgspec.Raw) -> list[str]:
    """The names of the attributes that have a value, each characteristic by itself."""
    if isinstance(attributes, msgspec.Raw):
        encoded = _read_names(attributes)
        names = [name for name in encoded if name != "characteristics"]
        characteristics = list(_read_names(encoded["characteristics"])) if "characteristics" in encoded else []
    else:
        names = [name for name, value in zip(_LISTED, _listed(attributes), strict=False) if value is not UNSET]
        characteristics = list(attributes.characteristics or ())
    return names + [CHARACTERISTIC + key for key in characteristics]


_read_names = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


__all__ = [
    "BY_SOURCE",
    "RECORD_ROWS",
    "TALLIES",
    "TALLY_KEY",
    "RecordRow",
    "Records",
    "Tally",
    "records_by_source",
    "row_key",
]
