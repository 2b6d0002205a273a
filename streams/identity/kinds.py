"""The kinds of match key, and the keyed hash that makes a value one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from streams.identity.model import KeyKind, MatchKey

_KINDS = (
    KeyKind("registration", ord("r"), limit=0, links=True),
    KeyKind("identification", ord("i"), limit=40, distinct_names=6),  # one person's, but names are mistyped, too
    KeyKind("email", ord("e"), limit=40, distinct_names=6),  # a family of six may share a mailbox
    KeyKind("phone", ord("p"), limit=40, distinct_names=6),
    KeyKind("address", ord("a"), limit=40, distinct_names=12),  # grown-up children, tenants, who lived there before
    KeyKind("word_birth", ord("w"), limit=50),  # any word of the name, so that one wrong word does not hide the pair
    KeyKind("birth_postcode", ord("b"), limit=50),
    KeyKind("birth_house", ord("h"), limit=50),
    KeyKind("family_postcode", ord("f"), limit=30),
    KeyKind("name", ord("n"), limit=30),
    KeyKind("address_given", ord("g"), limit=50),
    KeyKind("organization", ord("o"), limit=40),
    KeyKind("organization_place", ord("q"), limit=50),
    KeyKind("mail_domain", ord("m"), limit=30, distinct_names=3),  # an organization's own, unless others use it
)

KINDS: Mapping[int, KeyKind] = {kind.code: kind for kind in _KINDS}
"""Every kind of match key by its code, strongest first: the order in which a record's keys are kept when it has too many."""

_CODES = {kind.name: bytes([kind.code]) for kind in _KINDS}


@lru_cache(maxsize=1 << 14)
def match_key(secret: bytes, kind: str, *parts: str) -> MatchKey:
    """The key a value is looked up by: the kind's code and a keyed hash of 8 bytes, different for every secret (a realm's).

    Keyed blake2b, so nothing personal can be read or guessed from a key without the realm's secret.
    """
    hasher = _hasher(secret, kind).copy()
    hasher.update("\x1f".join(parts).encode())
    return MatchKey(_CODES[kind] + hasher.digest())


@lru_cache(maxsize=1024)
def _hasher(secret: bytes, kind: str) -> blake2b:
    """A hash of the secret and the kind, to go on from: copied, never updated."""
    return blake2b(f"{kind}\x1f".encode(), digest_size=8, key=secret)
