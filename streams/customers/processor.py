"""The processor `customers`. See `Customers`."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Sequence
from functools import partial

import msgspec

from schemas.canonical import ATTRIBUTES, realm_of
from schemas.messages import (
    CUSTOMERS,
    CustomersInbox,
    EntityChanged,
    Grown,
    Member,
    MemberAttached,
    MemberDetached,
    MemberUpdated,
    Republish,
    Sweep,
    Tick,
    UnknownVersionError,
    ViewDue,
    member_digest_of,
)
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW
from schemas.topics import CUSTOMERS as CUSTOMERS_TOPIC
from schemas.view import CustomerView
from streams.customers.asking import on_sweep, on_tick, watch
from streams.customers.cutting import ATTRIBUTE_BYTES, SURELY_FITS, cut, first_members
from streams.customers.republish import customers_after
from streams.customers.rows import (
    CUSTOMER_ROW,
    INLINE,
    INLINE_MEMBERS,
    CustomerRow,
    MemberRow,
    MemberRows,
    Pending,
    Published,
    customer_key,
    member_key,
    read_members,
    read_row,
    some_of,
)
from streams.customers.touched import touched
from streams.customers.transition import tell, transition
from streams.engine.contract import Headers, Message, Outbox, RejectedError, SourceStoppedError, Store
from streams.survivorship import MemberContent, Survivorship

DUE_AGAIN_MS = 60_000
"""After so long a ViewDue counts as lost: it may be a dead letter."""
MEMBERS_A_MS = 2
"""A large customer rests for a millisecond for so many members between two publications. Each takes a fifth of that, so that
a hot one leaves most of the time to the others of its partition."""
ALL = frozenset(ATTRIBUTES)
TOTALS = "totals"
"""What `ViewAttributes` holds besides attributes: no change tells of it alone."""


class Customers:
    """Keeps each customer's members and publishes its view and its changes.

    Inbox `customers`, keyed by customer id. A view is published only when the members held are exactly those of the
    newest `EntityChanged`, so no reader sees half of a merge; while they are, each member message is published at once. A
    customer of more than `INLINE_MEMBERS` members is published by a message to itself, once for all that came since, and
    rests in between: else 10,000 sites of one company would cost 10,000 times 10,000, and all others their time.

    A view is a pure function of the members and the rules. Its version goes up by one with each change event.
    """

    name = "customers"

    def __init__(self, survivorship: Survivorship, codec: PublicCodec) -> None:
        self._survivorship = survivorship
        self._codec = codec
        self._decoded: dict[bytes | None, CustomersInbox] = {}  # of this batch: decoding is pure
        self._members = MemberRows()  # of this batch

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Fetch the rows the batch will need in two round trips: the named ones, then the other members."""
        self._decoded.clear()
        self._members.forget()
        customers: dict[bytes, str] = {}
        members: set[bytes] = set()
        for message in batch:
            try:
                decoded = _decode(message)
            except (RejectedError, SourceStoppedError):
                continue  # `process` will meet it
            if isinstance(decoded, Tick | Republish | Sweep):
                continue
            self._decoded[message.value] = decoded
            customers[customer_key(decoded.customer)] = decoded.customer
            if isinstance(decoded, Member):
                members.add(member_key(decoded.customer, decoded.record))
        rows = store.get_many([*customers, *members])
        others = {
            member_key(customer, record)
            for customer, row in zip(customers.values(), rows, strict=False)
            if row is not None
            for record in INLINE.decode(row).members or ()
        }
        store.load(others)

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        decoded = self._decoded.get(message.value) or _decode(message)
        if isinstance(decoded, Tick):
            on_tick(decoded, message, store, out)
            return
        if isinstance(decoded, Sweep):
            on_sweep(decoded, message, store, out)
            return
        if isinstance(decoded, Republish):
            self._republish(decoded, message.timestamp, store, out)
            return
        customer = decoded.customer
        row = read_row(store, customer)
        match decoded:
            case MemberAttached() | MemberUpdated() | MemberDetached():
                row = row or CustomerRow(realm=realm_of(decoded.record))
                grown = isinstance(decoded, MemberAttached) and _expect(decoded.grown, row)
                applied = self._apply_member(decoded, row, store) or grown
            case EntityChanged():
                row = row or CustomerRow(realm=decoded.realm)
                applied = _apply_entity(decoded, row)
            case ViewDue():
                applied = row is not None and row.due_at > 0
        if row is None or not applied:
            return
        now = message.timestamp
        if isinstance(decoded, ViewDue):
            row.due_at = 0
        if row.settled:
            if row.members is not None or (isinstance(decoded, ViewDue) and not _rests(row, now)):
                self._publish(customer, row, now, store, out)
            elif now - row.due_at > DUE_AGAIN_MS:
                out.send(CUSTOMERS_TOPIC, customer.encode(), CUSTOMERS.encode(ViewDue(customer=customer)))
                row.due_at = now
        if row.settled == bool(row.ask_at):
            watch(customer, row, now, store)
        store.put(customer_key(customer), CUSTOMER_ROW.encode(row))

    def _republish(self, asked: Republish, now: int, store: Store, out: Outbox) -> None:
        """Some views as last published, with their versions; the rest by a message to itself.

        One that was published in another schema is made anew, and so is a change if it says anything else.
        """
        for customer, row in customers_after(asked, store, out):
            published = row.published
            if published is None:
                continue
            if published.pieces and published.format != self._codec.format:
                if row.settled:  # else it is published when it is
                    self._publish(customer, row, now, store, out)
                    store.put(customer_key(customer), CUSTOMER_ROW.encode(row))
            else:
                encode = partial(self._codec.encode_pieces, published.view, published.pieces)
                out.latest(CUSTOMER_VIEW, customer.encode(), encode)

    def _apply_member(
        self, message: MemberAttached | MemberUpdated | MemberDetached, row: CustomerRow, store: Store
    ) -> bool:
        """Keep what the record says, or that it left. False if older than what is held."""
        key = member_key(message.customer, message.record)
        data = store.get(key)
        held = self._members.decode(data) if data is not None else None
        if held is not None and message.sequence <= held.sequence:
            return False
        if isinstance(message, MemberDetached):
            member = MemberRow(sequence=message.sequence)
        else:
            member = MemberRow(sequence=message.sequence, attributes=message.attributes, times=message.times)
        store.put(key, self._members.encode(member))
        was = held is not None and held.attached
        if was != member.attached:
            _count(row, message.record, member.attached)
        row.pending.add(message.cause)
        row.pending.touched = sorted(touched(held, member).union(row.pending.touched))
        return True

    def _publish(self, customer: str, row: CustomerRow, now: int, store: Store, out: Outbox) -> None:
        """Publish what differs from the view last published, if anything does, and forget what led to it."""
        pending, before = row.pending, row.published
        row.pending = Pending()
        if row.members is None:
            row.published_at = now
        after = self._next(customer, row, before, pending, now, store)
        if before is None and after.view.status == "deleted":
            return  # came and went before anybody saw it
        change = transition(before, after, pending)
        headers: Headers = (("traceparent", pending.trace.encode()),) if pending.trace else ()
        key = customer.encode()
        if change is None and before is not None:
            if before.pieces == after.pieces and before.view.cut == after.view.cut:
                return
            same = msgspec.structs.replace(after.view, version=before.view.version)
            after = msgspec.structs.replace(after, view=same)
        elif change is not None:
            out.send(CUSTOMER_CHANGES, key, self._codec.encode_change(change), headers)
        row.keep(after)
        out.latest(CUSTOMER_VIEW, key, lambda: self._codec.encode_pieces(after.view, after.pieces), headers)

    def _next(
        self, customer: str, row: CustomerRow, before: Published | None, pending: Pending, now: int, store: Store
    ) -> Published:
        last = before.view if before else None
        base = CustomerView(
            customer_id=customer,
            realm=row.realm,
            version=last.version + 1 if last else 1,
            status="active",
            aliases=row.aliases,
            rules_version=self._survivorship.rules_version,
            event_time=max(pending.event_time, last.event_time if last else 0),
            processed_at=now,
        )
        replace = msgspec.structs.replace
        if row.count == 0:
            if row.merged_into is not None:
                return Published(view=replace(base, status="merged", merged_into=row.merged_into))
            return Published(view=replace(base, status="deleted"))
        touched = frozenset(pending.touched)
        if before is None:  # then all that members state is touched
            before = Published(view=base)
        elif not self._goes_on(before):
            before, touched = Published(view=base), ALL
        # Members that are not named are too many to be remembered.
        decode = self._members.reader(touched) if row.members is not None else some_of(touched).decode
        members = list(read_members(store, customer, row.members, decode))
        if row.members is None and len(members) <= INLINE_MEMBERS // 2:  # half: not to and fro at the border
            row.members = [member.record for member in members]
        shown = first_members([member.record for member in members])
        view = replace(base, members=shown, member_count=len(members))
        return self._with_attributes(view, before, members, touched)

    def _with_attributes(
        self, view: CustomerView, before: Published, members: Sequence[MemberContent], touched: Collection[str]
    ) -> Published:
        """Those of `before`, and reconciled again as far as members differ."""
        found = self._survivorship.refresh(before.totals, members, touched)
        totals = found.pop(TOTALS)
        pieces, told = dict(before.pieces), dict(before.told)
        shortened = {name for name in before.shortened if name not in found}
        encode = self._codec.encode_attribute
        for name, value in found.items():
            piece = encode(name, value) if value else b""
            if len(piece) > SURELY_FITS:
                value, piece, total, short = cut(name, value, piece, encode)  # noqa: PLW2901
                if total is not None:
                    totals.setdefault(name, total)
                if short:
                    shortened.add(name)
            if piece != pieces.get(name, b""):
                _put_piece(pieces, name, piece)
                tell(told, name, value)
        _put_piece(pieces, TOTALS, encode(TOTALS, totals))
        if totals or shortened or len(view.members) < view.member_count:
            view = msgspec.structs.replace(view, cut=_lacking(view, totals, shortened))
        return Published(
            view=view,
            format=self._codec.format,
            totals=totals,
            pieces=pieces,
            told=told,
            shortened=tuple(sorted(shortened)),
        )

    def _goes_on(self, before: Published) -> bool:
        """Whether attributes of this view may stand in the next."""
        same_rules = before.view.rules_version == self._survivorship.rules_version
        if not same_rules or before.format != self._codec.format or before.view.status != "active":
            return False
        return not before.pieces or max(map(len, before.pieces.values())) <= ATTRIBUTE_BYTES  # 0.1.0 did not cut


def _decode(message: Message) -> CustomersInbox:
    if message.value is None:
        raise RejectedError("malformed-message", f"{message.ref}: has no value")
    try:
        return CUSTOMERS.decode(message.value)
    except UnknownVersionError as error:
        raise SourceStoppedError(f"{message.ref}: {error}; upgrade singleview") from error
    except msgspec.DecodeError as error:
        raise RejectedError("malformed-message", f"{message.ref}: is not a message for customers") from error


def _put_piece(pieces: dict[str, bytes], name: str, piece: bytes) -> None:
    if piece:
        pieces[name] = piece
    else:
        pieces.pop(name, None)


def _lacking(view: CustomerView, totals: Collection[str], shortened: Collection[str]) -> tuple[str, ...]:
    """The names of what this view does not hold all of."""
    names = {*totals, *shortened}
    if len(view.members) < view.member_count:
        names.add("members")
    return tuple(sorted(names))


def _rests(row: CustomerRow, now: int) -> bool:
    """Whether it was published too recently for its size. A clock that went back is not waited for."""
    return 0 <= now - row.published_at < row.count // MEMBERS_A_MS


def _count(row: CustomerRow, record: str, attached: bool) -> None:
    row.count += 1 if attached else -1
    row.digest ^= member_digest_of(record)
    if row.members is None:
        return
    if attached:
        bisect.insort(row.members, record)
        if len(row.members) > INLINE_MEMBERS:
            row.members = None
    else:
        row.members.remove(record)


def _expect(expected: Grown | EntityChanged | None, row: CustomerRow, merged_into: str | None = None) -> bool:
    """Keep what identity expects now. False if older than what is held."""
    if expected is None or expected.epoch <= row.epoch:
        return False
    row.epoch = expected.epoch
    row.expected_count, row.expected_digest = expected.count, expected.digest
    row.aliases, row.merged_into = expected.aliases, merged_into
    return True


def _apply_entity(message: EntityChanged, row: CustomerRow) -> bool:
    """Keep what identity expects now, and what it tells of how that came. False if older than what is held."""
    if not _expect(message, row, message.merged_into):
        return False
    pending = row.pending
    pending.absorbed = sorted({*pending.absorbed, *message.absorbed})
    pending.split_to = sorted({*pending.split_to, *message.split_to})
    pending.split_from = message.split_from or pending.split_from
    pending.add(message.cause)
    return True
