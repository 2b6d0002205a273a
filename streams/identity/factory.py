"""The identity processor with the shipped matcher."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from schemas.canonical import Attributes
from streams.identity import reference, thresholds
from streams.identity.compare import compare, score
from streams.identity.features import FEATURES, Features, features
from streams.identity.keys import match_keys
from streams.identity.kinds import KINDS
from streams.identity.model import Comparison, KeyKind, MatchKey, Thresholds
from streams.identity.processor import IdentityProcessor, Settings
from streams.identity.veto import cluster_veto, may_contradict


class ShippedMatcher:
    """The pure half of identity behind the keeping half's port."""

    def __init__(self) -> None:
        self._reference = reference.shipped()

    @property
    def kinds(self) -> Mapping[int, KeyKind]:
        return KINDS

    def features(self, record: str, attributes: Attributes, secret: bytes) -> Features:
        return features(record, attributes, self._reference, secret)

    def keys(self, found: Features, secret: bytes) -> tuple[MatchKey, ...]:
        return match_keys(found, secret)

    def name_token(self, found: Features) -> bytes:
        return found.name_token

    def encode(self, found: Features) -> bytes:
        return FEATURES.encode(found)

    def decode(self, data: bytes) -> Features:
        return FEATURES.decode(data)

    def score(self, a: Features, b: Features, generic: Collection[bytes]) -> int:
        return score(a, b, generic)

    def compare(self, a: Features, b: Features, generic: Collection[bytes]) -> Comparison:
        return compare(a, b, generic)

    def may_contradict(self, records: Sequence[Features]) -> bool:
        return may_contradict(records)

    def veto(self, left: Sequence[Features], right: Sequence[Features]) -> bool:
        return cluster_veto(left, right)

    def size_class(self, live: int) -> int:
        return thresholds.size_class(live)

    def thresholds(self, size_class: int) -> Thresholds:
        return thresholds.thresholds(size_class)


def identity_processor(secret: bytes) -> IdentityProcessor[Features]:
    """`secret` keys the hashes of match keys and the customer ids."""
    return IdentityProcessor(ShippedMatcher(), Settings(secret))
