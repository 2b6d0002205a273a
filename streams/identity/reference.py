"""The reference tables of identity: how common names are, which are attested, what nicknames stand for, what is blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from streams.identity.blocked import BLOCKED, Blocked
from streams.identity.data import lines
from streams.identity.weights import LIMITS

RARE_GIVEN_BITS = 1100  # a given name no table knows: one in two thousand, with the share of errors among such
RARE_FAMILY_BITS = 1200


class Reference:
    """Look-ups by standardised value. Immutable, so its answers are part of the configuration.

    The name frequencies are the shipped prior, in coarse classes; a realm's own frequencies may be given in its place.
    """

    def __init__(
        self,
        given: Mapping[str, int],
        families: Mapping[str, int],
        nicknames: Mapping[str, Sequence[str]],
        blocked: Blocked = BLOCKED,
    ) -> None:
        self._given = given
        self._families = families
        formal = frozenset(name for stands_for in nicknames.values() for name in stands_for)
        self._forms = {
            name: tuple(dict.fromkeys((name, *stands_for) if name in formal else stands_for))[: LIMITS.forms]
            for name, stands_for in nicknames.items()
        }
        self.blocked = blocked

    def given_bits(self, name: str) -> int:
        """What agreeing on this given name is worth, centibits: -log2 of its share of people."""
        return self._given.get(name, RARE_GIVEN_BITS)

    def family_bits(self, name: str) -> int:
        """What agreeing on this family name is worth, centibits; a double name is as rare as its rarest word."""
        bits = self._families.get(name)
        if bits is not None:
            return bits
        return max((self._families.get(word, RARE_FAMILY_BITS) for word in name.split()), default=0)

    def is_attested(self, name: str) -> bool:
        """Whether this is a given name a dictionary knows."""
        return name in self._given or name in self._forms

    def is_turned(self, given: str, family: str) -> bool:
        """Whether the two must be in each other's place: `family` is a given name, `given` is none but a family name, or
        neither is known as what it should be."""
        if self.is_attested(given) or not self.is_attested(family):
            return False
        return len(given) > 1 and (family not in self._families or given in self._families)

    def forms(self, name: str) -> tuple[str, ...]:
        """The formal names this given name may stand for: itself (first), unless it is only ever short for
        others; those in the order of the table, the likeliest first."""
        return self._forms.get(name) or (name,)


@lru_cache(maxsize=1)
def shipped() -> Reference:
    """The tables that come with singleview."""
    nicknames: dict[str, list[str]] = {}
    for line in lines("nicknames.txt"):
        formal, *shorts = line.split()
        for short in shorts:
            nicknames.setdefault(short, []).append(formal)
    return Reference(_bits("given_names.txt"), _bits("family_names.txt"), nicknames)


def _bits(file: str) -> dict[str, int]:
    """Lines of `bits name name …`."""
    table: dict[str, int] = {}
    for line in lines(file):
        bits, *names = line.split()
        table.update(dict.fromkeys(names, int(bits) * 100))
    return table
