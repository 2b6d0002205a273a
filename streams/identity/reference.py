"""The reference tables of identity: how common names are, which are attested, what nicknames stand for, what is blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from importlib.resources import files

from streams.identity.weights import BLOCKED, LIMITS, Blocked

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
        nicknames: Mapping[str, Set[str]],
        blocked: Blocked = BLOCKED,
    ) -> None:
        self._given = given
        self._families = families
        self._forms = {
            nickname: (nickname, *sorted(formal - {nickname})[: LIMITS.forms]) for nickname, formal in nicknames.items()
        }
        self.blocked = blocked
        self._emails = re.compile("|".join(blocked.emails))
        self._phones = [re.compile(pattern) for pattern in blocked.phones]
        self._numbers = [re.compile(pattern) for pattern in blocked.numbers]

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

    def forms(self, name: str) -> tuple[str, ...]:
        """The names this given name may stand for, itself first."""
        return self._forms.get(name) or (name,)

    def is_blocked_email(self, value: str) -> bool:
        return self._emails.fullmatch(value) is not None

    def is_blocked_phone(self, value: str) -> bool:
        return any(pattern.fullmatch(value) for pattern in self._phones)

    def is_blocked_number(self, value: str) -> bool:
        return any(pattern.fullmatch(value) for pattern in self._numbers)


@lru_cache(maxsize=1)
def shipped() -> Reference:
    """The tables that come with singleview."""
    nicknames: dict[str, set[str]] = {}
    for line in _lines("nicknames.txt"):
        formal, *shorts = line.split()
        for short in shorts:
            nicknames.setdefault(short, set()).add(formal)
    return Reference(_bits("given_names.txt"), _bits("family_names.txt"), nicknames)


def _bits(file: str) -> dict[str, int]:
    """Lines of `bits name name …`."""
    table: dict[str, int] = {}
    for line in _lines(file):
        bits, *names = line.split()
        table.update(dict.fromkeys(names, int(bits) * 100))
    return table


def _lines(file: str) -> Iterator[str]:
    text = files("streams.identity.data").joinpath(file).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
