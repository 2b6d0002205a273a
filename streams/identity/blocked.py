"""What people and systems write when they have no value: such values are missing, not evidence."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec


class Blocked(msgspec.Struct, frozen=True):
    """Standardised values and patterns: regular expressions that match the whole value.

    Those of one kind of value are tried as one: each group that is referred to has a name of its own among them.
    """

    births: frozenset[str] = frozenset(
        {"1900", "190001", "19000101", "19010101", "18991230", "18991231", "19700101", "19111111", "19990909", "20000101"}
    )
    names: frozenset[str] = frozenset(
        {"anonymous", "cliente", "client", "customer", "desconocido", "inconnu", "kunde", "na", "nn", "none", "null", "test"}
        | {"unbekannt", "unknown", "x", "xx", "xxx"}
    )
    organizations: frozenset[str] = frozenset({"na", "none", "null", "privat", "private", "self", "test", "unknown"})
    emails: tuple[str, ...] = (
        r"(test|tests|testing|no\.?reply|no-reply|none|na|n/a|null|unknown|no\.?e?mail|no)@.*",
        r"(e?mail|user|customer|dummy|abc|asdf|x+|a+)@.*",
        r".*@(test|none|noe?mail|unknown|invalid|localhost|null)(\..*)?",
    )
    phones: tuple[str, ...] = (
        r"(?P<digit>\d)(?P=digit)*",
        r"\d{0,3}(?P<many>\d)(?P=many){5,}\d{0,3}",  # 800000000, 20 7000 0000
        r"0?1?234567890?",
        r"987654321",
    )
    numbers: tuple[str, ...] = (
        r"(?P<one>.)(?P=one)*",
        r"0?12345(6|67|678|6789|67890)?",
        r"(NA|NONE|NULL|TEST|UNKNOWN|XXXX)\d*",
    )
    accounts: tuple[str, ...] = (r"0+", r"(NA|NONE|NULL|TEST|UNKNOWN|XXXX)\d*")  # 7 and 123456 are good customer numbers


BLOCKED = Blocked()


@lru_cache(maxsize=64)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).fullmatch


def is_blocked(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether a standardised value matches one of the patterns, whole."""
    return _matcher(patterns)(value) is not None
