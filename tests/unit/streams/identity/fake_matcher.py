"""A matcher simple enough to reason about: a record is a name, a camp, and sets of values, all in its characteristics.

`a1=x` is the value x of kind a, `hub1=y` a linking value. Shared ordinary values speak for a pair, a pair's names add a
number of their own, other camps speak against and veto.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from zlib import crc32

import msgspec

from schemas.canonical import Attributes
from schemas.messages import Codec
from streams.identity.model import Comparison, Conflict, KeyKind, Level, MatchKey, Thresholds


class Card(msgspec.Struct, frozen=True):
    name: str = ""
    camp: str = ""
    values: tuple[tuple[str, str], ...] = ()  # kind, value


CARDS: Codec[Card] = Codec(Card)

KINDS = {
    "a": KeyKind("a", ord("a"), limit=3, distinct_names=2),
    "b": KeyKind("b", ord("b"), limit=5),
    "c": KeyKind("c", ord("c"), limit=40),
    "hub": KeyKind("hub", ord("h"), limit=0, links=True),
    "number": KeyKind("number", ord("n"), limit=0, links=True),
}
WEIGHTS = {"a": 250, "b": 200, "c": 350}


def attributes(card: Card) -> Attributes:
    values = {f"{kind}{number}": value for number, (kind, value) in enumerate(card.values)}
    return Attributes(characteristics={"name": card.name, "camp": card.camp, **values})


class FakeMatcher:
    """Thresholds rise by 100 with each factor of four."""

    @property
    def kinds(self) -> Mapping[int, KeyKind]:
        return {kind.code: kind for kind in KINDS.values()}

    def features(self, record: str, attributes: Attributes, secret: bytes) -> Card:
        told = attributes.characteristics
        assert isinstance(told, dict)
        values = sorted(
            (key.rstrip("0123456789"), value or "") for key, value in told.items() if key not in {"name", "camp"}
        )
        return Card(told["name"] or "", told["camp"] or "", tuple(dict.fromkeys(values)))

    def keys(self, features: Card, secret: bytes) -> tuple[MatchKey, ...]:
        return tuple(match_key(kind, value) for kind, value in features.values)

    def name_token(self, features: Card) -> bytes:
        return features.name.encode()

    def encode(self, features: Card) -> bytes:
        return CARDS.encode(features)

    def decode(self, data: bytes) -> Card:
        return CARDS.decode(data)

    def score(self, a: Card, b: Card, generic: Collection[bytes]) -> int:
        return self.compare(a, b, generic).score

    def compare(self, a: Card, b: Card, generic: Collection[bytes]) -> Comparison:
        shared = [(k, v) for k, v in a.values if (k, v) in b.values and k in WEIGHTS and match_key(k, v) not in generic]
        score = sum(WEIGHTS[kind] for kind, _ in shared)
        score += crc32("|".join(sorted((a.name, b.name))).encode()) % 120
        conflict = bool(a.camp and b.camp and a.camp != b.camp)
        if conflict:
            score -= 150
        levels = tuple(Level(kind, "same", WEIGHTS[kind]) for kind, _ in shared)
        return Comparison(score, (Conflict("camp", vetoes_alone=True),) if conflict else (), levels)

    def may_contradict(self, records: Sequence[Card]) -> bool:
        return len({card.camp for card in records if card.camp}) > 1

    def veto(self, left: Sequence[Card], right: Sequence[Card]) -> bool:
        pairs = [(a.camp, b.camp) for a in left for b in right if a.camp and b.camp]
        return bool(pairs) and all(a != b for a, b in pairs)

    def size_class(self, live: int) -> int:
        return max(live.bit_length() - 1, 0) // 2

    def thresholds(self, size_class: int) -> Thresholds:
        match = 300 + 100 * min(size_class, 4)
        return Thresholds(review=match - 150, match=match)


def match_key(kind: str, value: str) -> MatchKey:
    return MatchKey(bytes([KINDS[kind].code]) + crc32(f"{kind}={value}".encode()).to_bytes(4, "big"))
