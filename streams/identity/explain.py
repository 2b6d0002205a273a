"""Why two records are, or are not, one customer; and who an id is now. Reads the processor's rows, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import islice
from typing import NamedTuple

from schemas.canonical import realm_of
from streams.engine.contract import Store
from streams.identity.desk import Desk, EvidenceMemory
from streams.identity.edges import compare_pair, is_proposed, shared_keys
from streams.identity.links import another_holder
from streams.identity.matcher import F, Matcher
from streams.identity.members import members
from streams.identity.model import Comparison, Thresholds
from streams.identity.postings import state
from streams.identity.rows import CUSTOMER, RECORD, Keys, RecordRow

MEMBERS_HEARD = 200
"""Members of a customer that are asked whether they contradict another's: enough for any that is grouped by comparison."""

RECORDS_WALKED = 2_000
"""Records looked at for the chain that connects two members of one customer."""


class Reason(Enum):
    """What decided, as a sentence."""

    LINKED = "They hold the same value of a kind whose issuer guarantees that its holders are one customer."
    MATCHED = "Their score reaches the match threshold."
    CONNECTED = "Other records connect them, each pair of which matched or was linked."
    OTHER_REALMS = "They are of different realms, and customers never merge across realms."
    UNKNOWN = "At least one of them was never seen here."
    DELETED = "At least one of them is deleted, and belongs to no customer."
    NOT_COMPARED = "No match key that is on is common to both, so that they were never compared."
    TOO_WEAK = "Their score stays below the review threshold."
    POSSIBLE = "Their score is a possible match, for a steward to decide: below the match threshold."
    CONTRADICTED = "Their score reaches the match threshold, but the customers they belong to contradict each other."
    KEPT_APART = (
        "Their score reaches the match threshold, but one of them is claimed about equally by two customers that contradict"
        " each other, or so many records hang together here that a higher threshold holds."
    )
    REGROUPING = "The realm is being grouped again, as its size changed its thresholds: ask again when that is done."


class SharedKey(NamedTuple):
    """A match key both records hold."""

    kind: str
    holders: int
    on: bool
    generic: bool
    links: bool


class Step(NamedTuple):
    """One link of a chain. `score` in centibits; None: joined by a linking value."""

    record: str
    other: str
    score: int | None


class Why(NamedTuple):
    """The answer to why, or why not."""

    records: tuple[str, str]
    customers: tuple[str | None, str | None]
    same_customer: bool
    reason: Reason
    comparison: Comparison | None = None  # as of now, with its levels; None unless both are live in one realm
    thresholds: Thresholds | None = None
    shared: tuple[SharedKey, ...] = ()
    chain: tuple[Step, ...] = ()  # for CONNECTED; empty if it was not found nearby


def why(store: Store, matcher: Matcher[F], record_a: str, record_b: str, large_block: int = 64) -> Why:
    """Explain two records of one realm, `realm/source/id`. `large_block` as in the processor's settings."""
    records = (record_a, record_b)
    realm = realm_of(record_a)
    if realm_of(record_b) != realm:
        return why_apart([store], record_a, record_b)
    desk = Desk(Keys(realm), store, matcher, EvidenceMemory(matcher), large_block)
    a, b = (record.partition("/")[2] for record in records)
    row_a, row_b = desk.find_record(a), desk.find_record(b)
    if row_a is None or row_b is None:
        known = (row_a.customer or None if row_a else None, row_b.customer or None if row_b else None)
        return Why(records, known, False, Reason.UNKNOWN)
    customers = (row_a.customer or None, row_b.customer or None)
    if not (row_a.live and row_b.live):
        return Why(records, customers, False, Reason.DELETED)
    left, right = desk.evidence(a), desk.evidence(b)
    keys = shared_keys(left, right)
    shared = []
    for key in keys:
        kind, posting = desk.kinds[key[0]], desk.postings[key]
        shared.append(SharedKey(kind.name, posting.count, *state(kind, posting), kind.links))
    answer = Why(
        records,
        customers,
        row_a.customer == row_b.customer,
        Reason.MATCHED,
        compare_pair(desk, left, right),
        matcher.thresholds(desk.realm.size_class),
        tuple(shared),
    )
    if answer.same_customer:
        return _why_same(desk, a, b, answer)
    return answer._replace(reason=_why_not(desk, a, b, answer, proposed=is_proposed(desk, keys)))


def why_apart(stores: Iterable[Store], record_a: str, record_b: str) -> Why:
    """Explain two records of different realms. `stores`: of all partitions, as each realm has one of its own."""
    found: dict[str, RecordRow] = {}
    for store in stores:
        for record in (record_a, record_b):
            data = store.get(Keys(realm_of(record)).record(record.partition("/")[2]))
            if data is not None:
                found[record] = RECORD.decode(data)
    a, b = ((found[record].customer or None) if record in found else None for record in (record_a, record_b))
    known = record_a in found and record_b in found
    return Why((record_a, record_b), (a, b), False, Reason.OTHER_REALMS if known else Reason.UNKNOWN)


def is_known(stores: Iterable[Store], record: str) -> bool:
    """Whether a record, `realm/source/id`, was ever seen. `stores`: of all partitions."""
    key = Keys(realm_of(record)).record(record.partition("/")[2])
    return any(store.get(key) is not None for store in stores)


def realms(stores: Iterable[Store]) -> list[str]:
    """The realms of which anything was ever seen, by name: asked by jumping from one to the next, not by reading all."""
    return sorted(realm for store in stores for realm in _realms_of(store))


def _realms_of(store: Store) -> Iterator[str]:
    after: bytes | None = None
    while (found := next(iter(store.scan(b"", after)), None)) is not None:
        realm = found[0].partition(b"/")[0]
        yield realm.decode("utf-8", "replace")
        after = realm + b"0"  # the byte after `/`: past every key of this realm


def _why_same(desk: Desk[F], a: str, b: str, answer: Why) -> Why:
    if any(key.links for key in answer.shared):
        return answer._replace(reason=Reason.LINKED)
    if answer.thresholds is not None and desk.record(a).edges.get(b, -1) >= answer.thresholds.match:
        return answer
    return answer._replace(reason=Reason.CONNECTED, chain=_chain(desk, a, b))


def _why_not(desk: Desk[F], a: str, b: str, answer: Why, *, proposed: bool) -> Reason:
    if not proposed:
        return Reason.NOT_COMPARED
    if answer.comparison is None or answer.thresholds is None or answer.comparison.score < answer.thresholds.review:
        return Reason.TOO_WEAK
    if answer.comparison.score < answer.thresholds.match:
        return Reason.POSSIBLE
    if desk.realm.lowest != desk.realm.highest:
        return Reason.REGROUPING
    left, right = (
        [desk.evidence(r).features for r in islice(desk.members(desk.record(record).customer), MEMBERS_HEARD)]
        for record in (a, b)
    )
    return Reason.CONTRADICTED if desk.matcher.veto(left, right) else Reason.KEPT_APART


def _chain(desk: Desk[F], a: str, b: str) -> tuple[Step, ...]:
    """The shortest chain between two members of one customer."""
    customer = desk.record(a).customer
    came_from: dict[str, Step] = {}
    waiting = [a]
    for record in waiting:  # grows while it is walked
        if record == b:
            break
        for step in _steps(desk, record):
            if step.other != a and step.other not in came_from and desk.record(step.other).customer == customer:
                came_from[step.other] = step
                waiting.append(step.other)
        if len(waiting) > RECORDS_WALKED:
            break
    chain: list[Step] = []
    while b in came_from:
        chain.append(came_from[b])
        b = chain[-1].record
    realm = desk.name
    return tuple(Step(f"{realm}/{step.record}", f"{realm}/{step.other}", step.score) for step in reversed(chain))


def _steps(desk: Desk[F], record: str) -> Iterator[Step]:
    row = desk.record(record)
    match = desk.matcher.thresholds(desk.realm.size_class).match
    for other, score in sorted(row.edges.items()):
        if score >= match:
            yield Step(record, other, score)
    for value in row.links:
        others: list[str | None] = [*sorted(desk.postings[value].members)] or [another_holder(desk, value, record)]
        yield from (Step(record, other, None) for other in others if other is not None and other != record)


def resolve_id(store: Store, realm: str, customer: str) -> str | None:
    """The id that answers for an id now: itself, or the one it was merged into. None for an id that never was."""
    data = store.get(Keys(realm).customer(customer))
    return CUSTOMER.decode(data).answers if data is not None else None


def customer_of(store: Store, record: str) -> str | None:
    """The customer of a record, `realm/source/id`; None if it is deleted or was never seen."""
    data = store.get(Keys(realm_of(record)).record(record.partition("/")[2]))
    return RECORD.decode(data).customer or None if data is not None else None


def members_of(store: Store, realm: str, customer: str) -> Iterator[str]:
    """The records of a customer, longest-tenured first. Nothing for an id that is an alias, retired or unknown."""
    keys = Keys(realm)
    data = store.get(keys.customer(customer))
    page = CUSTOMER.decode(data) if data is not None else None
    if page is not None:
        yield from (f"{realm}/{record}" for record in members(store, keys, customer, page))
