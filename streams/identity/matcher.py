"""The port between the two halves of identity: what the keeping half asks of the pure half."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from schemas.canonical import Attributes
from streams.identity.model import Comparison, KeyKind, MatchKey, Thresholds

F = TypeVar("F")
"""The features of a record: opaque here, known to the matcher alone."""


class Matcher(Protocol[F]):
    """Pure and deterministic. `secret` is the realm's, so that equal values of two realms give different digests."""

    @property
    def kinds(self) -> Mapping[str, KeyKind]:
        """Every kind of match key that `keys` may give, by name."""
        ...

    def features(self, record: str, attributes: Attributes, secret: bytes) -> F: ...

    def keys(self, features: F, secret: bytes) -> tuple[MatchKey, ...]:
        """The record's match keys, without duplicates. Digests of one length, different for different kinds."""
        ...

    def name_token(self, features: F) -> bytes:
        """Stands for the record's main name, to count distinct names on a value. Empty: it has none and does not count."""
        ...

    def encode(self, features: F) -> bytes: ...

    def decode(self, data: bytes) -> F: ...

    def compare(self, a: F, b: F, generic: Collection[bytes], explain: bool = False) -> Comparison:
        """Symmetric. `generic` holds the digests, among the keys both records hold, whose value is generic now."""
        ...

    def veto(self, left: Sequence[F], right: Sequence[F]) -> bool:
        """Whether two clusters contradict each other so much that no pair may merge them. Symmetric."""
        ...

    def size_class(self, live: int) -> int:
        """The class of a realm with this many live records."""
        ...

    def thresholds(self, size_class: int) -> Thresholds: ...
