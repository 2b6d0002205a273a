"""The identity processor: which source records are the same customer.

One message at a time, single-handed per realm: file the record under its match keys, bring the edges up to date that this
concerns, group again what those edges connect, and settle the ids. At quiescence the grouping is a pure function of the live
records; only the ids depend on history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Generic, NamedTuple

import msgspec

from schemas import topics
from schemas.messages import IDENTITY, Cause, RecordIdentity, Regroup, Restate, RestateMembers, Tick
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.identity.component import Component
from streams.identity.desk import Desk, Evidence, EvidenceMemory
from streams.identity.edges import drop_record, refresh_pair, refresh_record
from streams.identity.filing import Filing, file_record
from streams.identity.grouping import Cluster, Limits, group
from streams.identity.ledger import Settlement
from streams.identity.matcher import F, Matcher
from streams.identity.model import MatchKey
from streams.identity.restating import NO_EVENT, restate, restate_members, restate_record
from streams.identity.rows import REALM, RECORD, Keys, realms

LARGEST_SIZE_CLASS = 32
"""4 to the 32nd records: beyond any realm. The lowest review threshold is sought among the classes up to here."""


FEW = 16
"""Records of a component, up to which each is asked at once whether it contradicts another: nearly every person's.
Of a larger one, perhaps the sites of one company, only those are read whose clusters might merge."""


class Settings(NamedTuple):
    """What bounds identity's work. Part of the configuration that grouping is a function of."""

    secret: bytes
    """The deployment's secret: every realm's is derived from it. Changing it changes every match key and new id."""
    limits: Limits = Limits()
    large_block: int = 64
    """A block of more records than this is large: entered, never walked through."""
    sweep: int = 500
    """Records looked at per Regroup message: some ten milliseconds of work where few of them need it."""


class _Ready(msgspec.Struct, Generic[F], frozen=True):
    """A message that `prepare` decoded, and the evidence it brings."""

    content: RecordIdentity | Regroup | Restate | RestateMembers | Tick
    realm: str = ""
    record: str = ""  # inside the realm
    evidence: Evidence[F] | None = None


class IdentityProcessor(Generic[F]):
    """Inbox `identity`, key realm. Sends MembershipChanged to `records`, EntityChanged to `customers`, Regroup to itself.

    What it sent it says again when `records` or `customers` ask for it (`restating.py`).
    """

    name = "identity"

    def __init__(self, matcher: Matcher[F], settings: Settings) -> None:
        self._matcher = matcher
        self._settings = settings
        self._memory = EvidenceMemory(matcher)
        thresholds = [matcher.thresholds(size) for size in range(LARGEST_SIZE_CLASS + 1)]
        self._match = [threshold.match for threshold in thresholds]  # by size class
        self._floor = min(threshold.review for threshold in thresholds)
        self._key = blake2b(settings.secret).digest()  # a secret of any length
        self._secrets: dict[str, bytes] = {}
        self._realm_keys: dict[str, Keys] = {}
        self._ready: dict[tuple[int, int], _Ready[F]] = {}  # by partition and offset; of the last batch prepared
        self._desks: dict[str, Desk[F]] = {}  # by realm; of the batch

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Decode and standardise the batch, and read ahead what it will ask for."""
        self._ready.clear()
        self._desks.clear()
        wanted: dict[str, tuple[list[str], list[MatchKey]]] = {}
        for message in batch:
            try:
                ready = self._decode(message)
            except Exception:  # noqa: S112 - nothing is lost: `process` meets the same message and raises
                continue
            self._ready[message.partition, message.offset] = ready
            if ready.record:
                if ready.realm not in wanted:
                    wanted[ready.realm] = ([], [])
                records, keys = wanted[ready.realm]
                records.append(ready.record)
                if ready.evidence is not None:
                    keys.extend(ready.evidence.keys)
        for realm, (records, keys) in wanted.items():
            self._desk(realm, store).prefetch(records, keys)

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        ready = self._ready.pop((message.partition, message.offset), None) or self._decode(message)
        content = ready.content
        if isinstance(content, Tick):
            if content.everything:
                self._regroup_again(store, out)
            return
        try:
            desk = self._desk(ready.realm, store)
            match content:
                case RecordIdentity():
                    self._update(content, ready.record, ready.evidence, desk, out)
                case Regroup():
                    self._sweep(content, desk, out)
                case Restate():
                    restate(content, desk, out)
                case RestateMembers():
                    restate_members(content, desk, out)
        except BaseException:
            self._desks.clear()  # what the message wrote is undone; the rows in memory are not
            raise

    def _desk(self, realm: str, store: Store) -> Desk[F]:
        desk = self._desks.get(realm)
        if desk is None or not desk.is_current(store):
            desk = Desk(self._keys(realm), store, self._matcher, self._memory, self._settings.large_block)
            self._desks[realm] = desk
        return desk

    def _keys(self, realm: str) -> Keys:
        keys = self._realm_keys.get(realm)
        if keys is None:
            keys = self._realm_keys[realm] = Keys(realm)
        return keys

    def _decode(self, message: Message) -> _Ready[F]:
        """Raises RejectedError for a message without content or of another type; UnknownVersionError for a newer one."""
        if message.value is None:
            raise RejectedError("empty-message", f"{message.ref}: an identity message needs a value")
        try:
            content = IDENTITY.decode(message.value)
        except msgspec.DecodeError as error:
            raise RejectedError("malformed", f"{message.ref}: not a message of the identity inbox") from error
        if isinstance(content, Tick):
            return _Ready(content)
        if not isinstance(content, RecordIdentity):
            return _Ready(content, content.realm)
        realm, _, record = content.record.partition("/")
        if content.attributes is None:
            return _Ready(content, realm, record)
        secret = self._secret(realm)
        features = self._matcher.features(content.record, content.attributes, secret)
        return _Ready(content, realm, record, self._memory.encode(features, self._matcher.keys(features, secret)))

    def _secret(self, realm: str) -> bytes:
        secret = self._secrets.get(realm)
        if secret is None:
            secret = blake2b(realm.encode(), digest_size=32, key=self._key).digest()
            self._secrets[realm] = secret
        return secret

    def _update(
        self, content: RecordIdentity, record: str, evidence: Evidence[F] | None, desk: Desk[F], out: Outbox
    ) -> None:
        """A record appeared, changed, or was deleted."""
        row = desk.find_record(record) or desk.add_record(record)
        told = row.sequence
        if content.version > row.version or (content.again and content.version == row.version):
            self._take(content, record, evidence, desk, out)
        if content.again and row.sequence == told:
            restate_record(record, content.cause, desk, out)

    def _take(self, content: RecordIdentity, record: str, evidence: Evidence[F] | None, desk: Desk[F], out: Outbox) -> None:
        """What is said of a record, the newest there is."""
        row = desk.record(record)
        row.version = content.version
        desk.touch_record(record)
        was_live = row.live
        unchanged = was_live and evidence is not None and desk.evidence(record).data == evidence.data
        if not unchanged and (was_live or evidence is not None):
            filing = file_record(desk, record, evidence)
            self._resize(desk, content.cause, out)
            seeds = self._refresh(desk, record, filing)
            gone = record if evidence is None else None
            changed = record if filing.links_changed else None
            self._regroup(desk, content.cause, out, seeds, filing.opened, changed=changed, gone=gone, subject=record)
        desk.write()

    def _refresh(self, desk: Desk[F], record: str, filing: Filing) -> set[str]:
        """Bring edges up to date after filing. Returns the live records that must be grouped again."""
        row, lowest = desk.record(record), desk.realm.lowest
        seeds = set(filing.seeds)
        if row.edges:
            seeds.update([other for other, score in row.edges.items() if score >= lowest])
            desk.load_records(row.edges)
        if row.live:
            refresh_record(desk, record, self._floor)
            if row.edges:
                seeds.update([other for other, score in row.edges.items() if score >= lowest])
            seeds.add(record)
        else:
            drop_record(desk, record)
        for a, b in filing.pairs:
            before, after = refresh_pair(desk, a, b, self._floor)
            if before != after and max(before or 0, after or 0) >= lowest:
                seeds.update((a, b))
        return seeds

    def _regroup(
        self,
        desk: Desk[F],
        cause: Cause,
        out: Outbox,
        seeds: Iterable[str],
        opened: frozenset[str] = frozenset(),
        *,
        changed: str | None = None,
        gone: str | None = None,
        subject: str | None = None,
    ) -> Component[F]:
        """Group again what is connected with the seeds, and settle the ids."""
        component = Component(desk, self._match[desk.realm.size_class])
        component.collect(seeds, opened, changed)

        clusters = self._clusters(component, desk)
        resting = {
            component.rows[record].customer: record
            for record in component.large
            if record != changed and record not in opened
        }
        settlement = Settlement(desk, out, cause, self._secret(desk.name))
        settlement.settle(component.rows, clusters, resting, gone, subject)
        return component

    def _clusters(self, component: Component[F], desk: Desk[F]) -> list[Cluster]:
        matcher, limits, evidence = self._matcher, self._settings.limits, desk.evidence
        count = len(component.rows)
        if count == 1:
            return [tuple(component.rows)]
        small = count <= min(FEW, limits.units) and not component.large
        if small and not matcher.may_contradict([evidence(record).features for record in component.rows]):
            return sorted([tuple(sorted(part)) for part in component.parts])  # what `group` finds where nothing vetoes

        def veto(left: Sequence[str], right: Sequence[str]) -> bool:
            return matcher.veto([evidence(r).features for r in left], [evidence(r).features for r in right])

        return group(component.units(), component.edges(), veto, limits)

    def _resize(self, desk: Desk[F], cause: Cause, out: Outbox) -> None:
        """Begin a sweep of the realm if its live records crossed into another size class."""
        realm = desk.realm
        size_class = self._matcher.size_class(realm.live)
        if size_class == realm.size_class:
            return
        before, after = self._match[realm.size_class], self._match[size_class]
        realm.size_class = size_class
        if before == after:
            return
        realm.lowest, realm.highest = min(realm.lowest, after), max(realm.highest, after)
        realm.generation += 1
        self._continue(Regroup(realm=desk.name, generation=realm.generation, cursor="", cause=cause), out)

    def _continue(self, regroup: Regroup, out: Outbox) -> None:
        out.send(topics.IDENTITY, regroup.realm.encode(), IDENTITY.encode(regroup))

    def _regroup_again(self, store: Store, out: Outbox) -> None:
        """Begin once more the sweeps that are under way, should a message of theirs have been lost."""
        for name in realms(store):
            data = store.get(self._keys(name).realm)
            realm = REALM.decode(data) if data is not None else None
            if realm is not None and realm.lowest != realm.highest:
                self._continue(Regroup(realm=name, generation=realm.generation, cursor="", cause=NO_EVENT), out)

    def _sweep(self, regroup: Regroup, desk: Desk[F], out: Outbox) -> None:
        """Group again, from the cursor on, what the thresholds since the last complete sweep may have grouped otherwise."""
        realm, sweep = desk.realm, self._settings.sweep
        if regroup.generation != realm.generation or realm.lowest == realm.highest:
            return
        after = desk.keys.record(regroup.cursor) if regroup.cursor else None
        rows = [row for row, _ in zip(desk.store.scan(desk.keys.records(), after), range(sweep), strict=False)]
        done: set[str] = set()
        for key, data in rows:
            record = desk.keys.record_of(key)
            if record in done:
                continue
            edges = RECORD.decode(data).edges
            if any(realm.lowest <= score < realm.highest for score in edges.values()):
                done.update(self._regroup(desk, regroup.cause, out, [record]).rows)
        if len(rows) == sweep:
            cursor = desk.keys.record_of(rows[-1][0])
            self._continue(msgspec.structs.replace(regroup, cursor=cursor), out)
        else:
            realm.lowest = realm.highest = self._match[realm.size_class]
        desk.realm_changed = True
        desk.write()
