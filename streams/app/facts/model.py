"""The facts of a deployment, as they are kept."""

from __future__ import annotations

import hashlib

import msgspec

from schemas.versions import Release

COST = 2**14
"""Of one guess at the secret behind a fingerprint, as scrypt counts: some 50 ms and 16 MiB."""


class Source(msgspec.Struct, frozen=True, order=True):
    """What one mapping reads."""

    name: str
    topics: tuple[str, ...]
    realms: tuple[str, ...] = ()  # that its records may be of; empty: any

    def meets(self, other: Source) -> bool:
        """Whether both may speak of the same records."""
        apart = self.realms and other.realms and not set(self.realms) & set(other.realms)
        return self.name == other.name and not apart


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment was made with, or last ran with."""

    secret: str  # its fingerprint; empty until a member that has it has run
    realms: dict[str, int]  # every realm there ever was, and its number
    partitions: int
    sources: tuple[Source, ...] = ()
    subscribers: tuple[str, ...] = ()
    tables: dict[str, str] = {}  # by table topic, its id
    inputs: dict[str, str] = {}  # by source topic, its id
    release: str = ""
    generation: int = 1

    @property
    def written_by(self) -> Release:
        return Release(self.release, self.generation)


def fingerprint(secret: bytes, prefix: str) -> str:
    """Tells two secrets apart and reveals neither: a slow hash, and another one in each deployment."""
    salt = b"singleview deployment " + prefix.encode()
    return hashlib.scrypt(secret, salt=salt, n=COST, r=8, p=1, dklen=16).hex()


def encode(facts: Facts) -> bytes:
    """JSON, for operators to read as well."""
    return msgspec.json.encode(facts)


def decode(data: bytes) -> Facts:
    """Raises msgspec.DecodeError (or ValidationError) for what are no facts. Unknown fields are a newer release's."""
    return msgspec.json.decode(data, type=Facts)
