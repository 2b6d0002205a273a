"""The ledger: which id each customer answers to, as a deterministic fold over history.

Each id has one anchor record. A cluster claims the ids whose anchors are its records, answers to the oldest of them, and
the others become its aliases. After a split each part takes back the ids whose anchors it holds; a part with none mints one
from its longest-tenured record. A record that leaves by its own change or delete leaves its anchors to the longest-tenured
of those it was with; the last one keeps them, so its return revives the id.

A customer may have members that are not at hand, its *rest*: those around a large block that the change did not reach; they
follow the cluster in which a record of that block is at hand. Or those that only a lower threshold had joined to the records
at hand; they part from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Generic, NamedTuple

import msgspec

from schemas import topics
from schemas.messages import CUSTOMERS, RECORDS, Cause, EntityChanged, Grown, MembershipChanged, member_digest_of
from streams.engine.contract import Outbox
from streams.identity.desk import Desk
from streams.identity.grouping import Cluster
from streams.identity.matcher import F
from streams.identity.members import join, leave
from streams.identity.rows import CustomerRow, RecordRow

ALIASES_SENT = 1_000
"""Aliases told of a customer, oldest first. More exist only where thousands of customers were joined by hand or by a
late registration number; each of them still resolves."""

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [low + high for high in _BASE32 for low in _BASE32]
"""Ten bits, as the digits of the lower five and of the higher five."""


def mint_id(secret: bytes, record: str, incarnation: int) -> str:
    """A new customer id: `c` and 20 characters (100 bits), from the realm's secret, a record and its incarnation."""
    hasher = _hasher(secret).copy()
    hasher.update(f"{incarnation}/{record}".encode())
    number = int.from_bytes(hasher.digest())
    return "c" + "".join([_PAIRS[number >> shift & 1023] for shift in range(0, 100, 10)])


@lru_cache(maxsize=1024)
def _hasher(secret: bytes) -> blake2b:
    """A hash of the secret, to go on from: copied, never updated."""
    return blake2b(digest_size=13, key=secret, person=b"customer id")


class _Answer(NamedTuple):
    """The id that answers for a cluster, and the ids it answers for."""

    customer: str
    claims: list[str]


class Settlement(msgspec.Struct, Generic[F]):
    """Carries one regrouping into the ledger, and says what changed."""

    _desk: Desk[F]
    _out: Outbox
    _cause: Cause
    _secret: bytes
    _rows: Mapping[str, RecordRow] = {}
    _at_hand: set[str] = set()
    _before: dict[str, str] = {}  # the customer of those at hand that had one
    _members_changed: set[str] = set()
    _had_members: dict[str, bool] = {}
    _answered: dict[str, str] = {}  # id -> who answered for it before, where that changed
    _minted_from: dict[str, str] = {}  # new id -> the customer its first record had before

    def settle(
        self,
        rows: Mapping[str, RecordRow],
        clusters: Sequence[Cluster],
        resting: Mapping[str, str],
        gone: str | None,
        subject: str | None,
    ) -> None:
        """Give every cluster its id.

        `rows` are the live records at hand, `clusters` a partition of them. `resting` names, for a customer that may have a
        rest, a record whose cluster the rest follows. `gone` is a record just deleted, `subject` the one that changed.
        """
        desk = self._desk
        self._rows = rows
        if gone is None and not resting and self._settle_growth(clusters):
            return
        self._before = {record: row.customer for record, row in rows.items() if row.customer}
        self._at_hand = set(rows)
        if gone is not None:
            self._at_hand.add(gone)
            self._before[gone] = desk.record(gone).customer
        rests = self._rests()
        cluster_of = {record: number for number, cluster in enumerate(clusters) for record in cluster}
        follows: dict[int, list[str]] = {}
        alone: list[str] = []
        for customer in sorted(rests):
            at = resting.get(customer)
            if at is None:
                alone.append(customer)
            else:
                follows.setdefault(cluster_of[at], []).append(customer)
        if subject is not None:
            mates = clusters[cluster_of[subject]] if subject in cluster_of else ()
            with_rest = follows.get(cluster_of[subject], []) if subject in cluster_of else []
            self._pass_on_anchors(subject, mates, with_rest, rests)
        parties = [(cluster, follows.get(number, [])) for number, cluster in enumerate(clusters)]
        parties.extend(((), [customer]) for customer in alone)
        answers = [self._choose(cluster, rests) for cluster, rests in parties]
        # Everybody is looked up before anybody moves: an id may pass from one party's rest to another party.
        moves = [
            (record, answer.customer)
            for (cluster, rests), answer in zip(parties, answers, strict=True)
            for record in (*cluster, *self._rest_members(rests, answer.customer))
        ]
        for record, customer in moves:
            self._move(record, desk.record(record), customer)
        for answer in answers:
            for claim in answer.claims:
                self._let_answer(claim, answer.customer)
        if gone is not None:
            self._move(gone, desk.record(gone), "")
        self._announce()

    def _settle_growth(self, clusters: Sequence[Cluster]) -> bool:
        """Settle what is by far the most: clusters that are whole customers or new ones, joined at most by new records.

        Such a customer keeps its id, and all its claims; nothing else can change. False: it is not so, nothing was done.
        """
        desk, rows = self._desk, self._rows
        grown: list[tuple[str, list[str]]] = []  # a customer, or none, and the new records
        seen: set[str] = set()
        for cluster in clusters:
            customer, members = "", 0
            new: list[str] = []
            for record in cluster:
                row = rows[record]
                if row.customer:
                    if row.customer != customer and customer:
                        return False
                    customer = row.customer
                    members += 1
                elif row.anchors:
                    return False
                else:
                    new.append(record)
            if customer:
                if customer in seen or desk.customer(customer).count != members:
                    return False
                seen.add(customer)
            if new:
                grown.append((customer, new))
        # As in general: all ids are chosen before anybody moves.
        answers = [customer or self._mint(new, ()) for customer, new in grown]
        for answer, (_, (*others, last)) in zip(answers, grown, strict=True):
            for record in others:
                self._move(record, rows[record], answer)
            self._move(last, rows[last], answer, completes=True)
        desk.realm_changed = True
        return True

    def _rests(self) -> set[str]:
        """Customers of the records at hand that have further members."""
        held: dict[str, int] = {}
        for customer in self._before.values():
            held[customer] = held.get(customer, 0) + 1
        return {customer for customer, count in held.items() if self._desk.customer(customer).count > count}

    def _pass_on_anchors(self, subject: str, mates: Cluster, with_rest: Sequence[str], rests: set[str]) -> None:
        desk = self._desk
        row = desk.record(subject)
        customer = self._before.get(subject)
        if not row.anchors or customer is None or customer in with_rest:
            return
        if any(mate != subject and self._before.get(mate) == customer for mate in mates):
            return
        if customer in rests:
            successor = next(record for record in desk.members(customer) if record != subject)
        else:
            others = [record for record, held in self._before.items() if held == customer and record != subject]
            if not others:
                return
            successor = min(others, key=lambda record: desk.record(record).tenure)
        heir = desk.record(successor)
        heir.anchors = [*heir.anchors, *row.anchors]
        for anchored in row.anchors:
            desk.customer(anchored).anchor = successor
            desk.touch_customer(anchored)
        row.anchors = []
        desk.touch_record(successor)
        desk.touch_record(subject)

    def _choose(self, cluster: Cluster, rests: Sequence[str]) -> _Answer:
        """The id of a cluster and the rests that follow it: their oldest claim, or a new one."""
        claims = [anchored for record in cluster for anchored in self._rows[record].anchors]
        for customer in rests:
            claims.extend(self._claims_of_rest(customer))
        if not claims:
            return _Answer(self._mint(cluster, rests), claims)
        return _Answer(min(claims, key=lambda claim: self._desk.customer(claim).ordinal), claims)

    def _rest_members(self, rests: Sequence[str], chosen: str) -> list[str]:
        """Members of rests that must move to the chosen id; none of a rest that keeps its id, however many they are."""
        desk = self._desk
        return [
            record
            for customer in rests
            if customer != chosen
            for record in desk.members(customer)
            if record not in self._at_hand
        ]

    def _claims_of_rest(self, customer: str) -> Iterable[str]:
        desk = self._desk
        ids = [customer, *desk.aliases(customer)] if desk.customer(customer).aliases else [customer]
        return [claim for claim in ids if desk.customer(claim).anchor not in self._at_hand]

    def _mint(self, cluster: Sequence[str], rests: Sequence[str]) -> str:
        desk = self._desk
        firsts = [next(r for r in desk.members(customer) if r not in self._at_hand) for customer in rests]
        candidates = [*cluster, *firsts]
        anchor = min(candidates, key=lambda record: desk.record(record).tenure) if len(candidates) > 1 else candidates[0]
        row = desk.record(anchor)
        row.minted += 1
        customer = mint_id(self._secret, f"{desk.name}/{anchor}", row.minted)  # never one that is taken: it has 100 bits
        row.anchors = [*row.anchors, customer]
        desk.touch_record(anchor)
        desk.add_customer(customer, CustomerRow(desk.next_ordinal(), anchor, customer))
        if row.customer:
            self._minted_from[customer] = row.customer
        return customer

    def _move(self, record: str, row: RecordRow, to: str, *, completes: bool = False) -> None:
        """Make a record a member of the customer `to`, of none if that is empty. `completes`: nothing else happens to it."""
        if row.customer == to:
            return
        desk = self._desk
        key = f"{desk.name}/{record}"
        digest = member_digest_of(key)
        if row.customer:
            leave(desk.store, desk.keys, row.customer, self._page(row.customer, digest), record, row.tenure)
        if to:
            join(desk.store, desk.keys, to, self._page(to, digest), record, row.tenure)
        row.customer = to
        row.sequence += 1
        desk.touch_record(record)
        changed = MembershipChanged(
            record=key,
            sequence=row.sequence,
            customer=to or None,
            cause=self._cause,
            grown=self._grown(to) if completes else None,
        )
        self._out.send(topics.RECORDS, key.encode(), RECORDS.encode(changed))

    def _page(self, customer: str, digest: int) -> CustomerRow:
        """The page of a customer that a record of this digest joins or leaves."""
        page = self._desk.customer(customer)
        self._had_members.setdefault(customer, page.count > 0)
        page.digest ^= digest
        self._members_changed.add(customer)
        return page

    def _let_answer(self, claim: str, by: str) -> None:
        desk = self._desk
        page = desk.customer(claim)
        if page.answers == by:
            return
        self._answered[claim] = page.answers
        if page.answers != claim:
            self._list_alias(page.answers, claim, page.ordinal, listed=False)
        if by != claim:
            self._list_alias(by, claim, page.ordinal, listed=True)
        page.answers = by

    def _list_alias(self, customer: str, alias: str, ordinal: int, *, listed: bool) -> None:
        desk = self._desk
        row = desk.keys.alias(customer, ordinal)
        if listed:
            desk.store.put(row, alias.encode())
        else:
            desk.store.delete(row)
        page = desk.customer(customer)
        page.aliases += 1 if listed else -1
        self._members_changed.add(customer)

    def _announce(self) -> None:
        """Send EntityChanged for every id of which anything changed, and count."""
        realm = self._desk.realm
        absorbed: dict[str, list[str]] = {}
        split_from: dict[str, str] = {c: old for c, old in self._minted_from.items() if old != c}
        for claim, answered in sorted(self._answered.items()):
            now = self._desk.customer(claim).answers
            if now == claim:
                split_from[claim] = answered
            elif answered == claim:
                absorbed.setdefault(now, []).append(claim)
                realm.merges += self._had_members.get(claim, False)
        split_to: dict[str, list[str]] = {}
        for customer, source in sorted(split_from.items()):
            split_to.setdefault(source, []).append(customer)
        for customer in sorted(self._members_changed | self._answered.keys()):
            self._tell(customer, absorbed.get(customer, ()), split_from.get(customer), split_to.get(customer, ()))
        realm.splits += len(split_from)
        self._desk.realm_changed = True

    def _grown(self, customer: str) -> Grown:
        page = self._next_epoch(customer)
        return Grown(page.epoch, page.count, page.digest, aliases_sent(self._desk, customer, page))

    def _tell(self, customer: str, absorbed: Sequence[str], split_from: str | None, split_to: Sequence[str]) -> None:
        page = self._next_epoch(customer)
        changed = EntityChanged(
            customer=customer,
            realm=self._desk.name,
            epoch=page.epoch,
            count=page.count,
            digest=page.digest,
            aliases=aliases_sent(self._desk, customer, page),
            merged_into=None if page.answers == customer else page.answers,
            absorbed=tuple(absorbed),
            split_from=split_from,
            split_to=tuple(split_to),
            cause=self._cause,
        )
        self._out.send(topics.CUSTOMERS, customer.encode(), CUSTOMERS.encode(changed))

    def _next_epoch(self, customer: str) -> CustomerRow:
        """The page of a customer of which something is about to be told."""
        desk = self._desk
        page = desk.customer(customer)
        page.epoch += 1
        desk.touch_customer(customer)
        if customer in self._had_members:
            desk.realm.customers += (page.count > 0) - self._had_members[customer]
        return page


def aliases_sent(desk: Desk[F], customer: str, page: CustomerRow) -> tuple[str, ...]:
    """What is told of a customer's aliases."""
    return tuple(islice(desk.aliases(customer), ALIASES_SENT)) if page.aliases else ()
