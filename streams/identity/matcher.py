"""The port between the two halves of identity: what the keeping half asks of the pure half."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from schemas.canonical import Attributes
from streams.identity.model import Comparison, KeyKind, MatchKey, Thresholds

F = TypeVar("F")
"""The features of a record: opaque here, known to the matcher alone."""


class Matcher(Protocol[F]):
    """Pure and deterministic. `secret` is the realm's, so that equal values of two realms give different keys."""

    @property
    def kinds(self) -> Mapping[int, KeyKind]:
        """Every kind of match key that `keys` may give, by its code."""
        ...

    def features(self, record: str, attributes: Attributes, secret: bytes) -> F: ...

    def keys(self, features: F, secret: bytes) -> tuple[MatchKey, ...]:
        """The record's match keys, without duplicates, all of one length."""
        ...

    def name_token(self, features: F) -> bytes:
        """Stands for the record's main name, to count distinct names on a value. Empty: it has none and does not count."""
        ...

    def encode(self, features: F) -> bytes: ...

    def decode(self, data: bytes) -> F: ...

    def score(self, a: F, b: F, generic: Collection[bytes]) -> int:
        """What comparing two records comes to, in centibits. Symmetric. `generic` holds those of the match keys of both
        whose value is generic now."""
        ...

    def compare(self, a: F, b: F, generic: Collection[bytes]) -> Comparison:
        """The same, explained."""
        ...

    def may_contradict(self, records: Sequence[F]) -> bool:
        """False only if `veto` is False for any two clusters of these records. Cheap: it need not know better."""
        ...

    def veto(self, left: Sequence[F], right: Sequence[F]) -> bool:
        """Whether two clusters contradict each other so much that no pair may merge them. Symmetric."""
        ...

    def size_class(self, live: int) -> int:
        """The class of a realm with this many live records."""
        ...

    def thresholds(self, size_class: int) -> Thresholds: ...
