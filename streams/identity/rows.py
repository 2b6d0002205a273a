"""The rows identity keeps, and their keys.

Every key is `<realm>/<table>/…`, so one store may hold several realms. Inside a realm a record is named by its key without
the realm, `source/id`. Lists that can grow without limit are rows of their own under a common prefix, never one large row.

    R                              RealmRow        counters of the realm
    r/<record>                     RecordRow       membership, edges and links of one record
    f/<record>                     EvidenceRow     its features and match keys
    p/<match key>                  PostingRow      who holds a match key; inline up to a limit …
    o/<match key>/<record>         name token      … and beyond it a row per holder
    c/<customer>                   CustomerRow     the ledger's page of one id, with its members up to a limit …
    m/<customer>/<tenure>          record          … and beyond it a row per member, longest-tenured first
    a/<customer>/<mint ordinal>    alias id        ids that this customer answers for, oldest first
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from schemas.messages import Codec
from streams.engine.contract import ENGINE, Store
from streams.identity.model import MatchKey


class RealmRow(msgspec.Struct, array_like=True):
    """Counters of a realm. `lowest` and `highest` span the match thresholds its customers may have been grouped by."""

    live: int = 0
    size_class: int = 0
    ordinal: int = 0  # last number given to a tenure or a minted id
    generation: int = 0  # of re-grouping; an older Regroup message is out of date
    lowest: int = 0
    highest: int = 0
    customers: int = 0  # ids that have members
    merges: int = 0  # ids merged into another so far
    splits: int = 0  # ids that split off another so far


class RecordRow(msgspec.Struct, array_like=True):
    """One record. Stays after a delete: its version and sequence go on, and it may hold the anchors of retired ids."""

    version: int = -1
    live: bool = False
    customer: str = ""  # empty: belongs to none
    sequence: int = 0  # of its MembershipChanged messages
    tenure: int = 0  # ordinal at which it (last) became live
    minted: int = 0  # how many ids were derived from it: the incarnation of the next
    anchors: list[str] = []  # ids whose anchor it is
    links: list[MatchKey] = []  # values that join it to other records by themselves
    edges: dict[str, int] = {}  # other record -> score, down to the lowest review threshold


class EvidenceRow(msgspec.Struct, array_like=True, frozen=True):
    features: bytes
    keys: tuple[MatchKey, ...]


class PostingRow(msgspec.Struct, array_like=True, frozen=True):
    """Holders of a match key: `members` (record -> name token) has all while they are within the inline limit, else none.

    The token is empty where the key's kind does not count names. Never changed but replaced, as keys may share one.
    """

    count: int = 0
    members: dict[str, bytes] = {}


class CustomerRow(msgspec.Struct, array_like=True):
    """The ledger's page of one id. Kept for ever. `members` (record -> tenure) has all up to a limit, else none."""

    ordinal: int  # when it was minted: the oldest claim wins
    anchor: str  # the record that holds it
    answers: str  # the id that answers for it now: itself while it is current or retired
    epoch: int = 0
    count: int = 0
    digest: int = 0
    aliases: int = 0  # how many ids it answers for besides itself
    members: dict[str, int] = {}


NOBODY = PostingRow()
"""The row of a match key that nobody holds: it has none."""

REALM: Codec[RealmRow] = Codec(RealmRow)
RECORD: Codec[RecordRow] = Codec(RecordRow)
EVIDENCE: Codec[EvidenceRow] = Codec(EvidenceRow)
POSTING: Codec[PostingRow] = Codec(PostingRow)
CUSTOMER: Codec[CustomerRow] = Codec(CustomerRow)


def realms(store: Store) -> Iterator[str]:
    """The realms that have rows in a store. Do not write meanwhile."""
    place = None
    while (found := next(iter(store.scan(b"", place)), None)) is not None:
        if found[0].startswith(ENGINE):
            place = ENGINE + b"\xff"
            continue
        realm = found[0].partition(b"/")[0]
        yield realm.decode()
        place = realm + b"0"  # the character behind the slash


class Keys:
    """Row keys of one realm."""

    __slots__ = (
        "_alias",
        "_customer",
        "_evidence",
        "_holder",
        "_member",
        "_posting",
        "_record",
        "name",
        "realm",
    )

    def __init__(self, realm: str) -> None:
        prefix = realm.encode() + b"/"
        self.name = realm
        self.realm = prefix + b"R"
        self._record = prefix + b"r/"
        self._evidence = prefix + b"f/"
        self._posting = prefix + b"p/"
        self._holder = prefix + b"o/"
        self._customer = prefix + b"c/"
        self._alias = prefix + b"a/"
        self._member = prefix + b"m/"

    def record(self, record: str) -> bytes:
        return self._record + record.encode()

    def records(self) -> bytes:
        """Prefix of all record rows."""
        return self._record

    def each_record(self, records: Iterable[str]) -> list[bytes]:
        prefix = self._record
        return [prefix + record.encode() for record in records]

    def record_of(self, key: bytes) -> str:
        """The record whose row has this key."""
        return key[len(self._record) :].decode()

    def evidence(self, record: str) -> bytes:
        return self._evidence + record.encode()

    def posting(self, key: MatchKey) -> bytes:
        return self._posting + key

    def each_posting(self, keys: Iterable[MatchKey]) -> list[bytes]:
        prefix = self._posting
        return [prefix + key for key in keys]

    def holders(self, key: MatchKey) -> bytes:
        """Prefix of the rows of an oversize key's holders."""
        return self._holder + key + b"/"

    def customer(self, customer: str) -> bytes:
        return self._customer + customer.encode()

    def aliases(self, customer: str) -> bytes:
        """Prefix of a customer's alias rows."""
        return self._alias + customer.encode() + b"/"

    def alias(self, customer: str, ordinal: int) -> bytes:
        return self.aliases(customer) + ordinal.to_bytes(8, "big")

    def members(self, customer: str) -> bytes:
        """Prefix of the member rows of a customer that has too many for its page, in order of tenure."""
        return self._member + customer.encode() + b"/"

    def member(self, customer: str, tenure: int) -> bytes:
        return self.members(customer) + tenure.to_bytes(8, "big")
