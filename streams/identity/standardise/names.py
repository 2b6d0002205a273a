"""Names of persons: parts cleaned, full lines parsed, titles, suffixes and particles told apart."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from schemas.canonical import Name
from streams.identity.data import pairs, words
from streams.identity.standardise.text import CACHE, LONGEST, fold

_WORDS = words("name_words.txt")
_TITLES, _CREDENTIALS, _PARTICLES, _JOINED = (_WORDS[kind] for kind in ("title", "credential", "particle", "joined"))
_SUFFIXES = pairs("suffixes.txt")


class Parsed(NamedTuple):
    """The parts of one name, folded. `middle` holds every further given name."""

    given: str
    middle: str
    family: str
    suffix: str


NOBODY = Parsed("", "", "", "")


def _family(words: list[str]) -> str:
    """The core of a family name: particles away, Mc and O' joined to what follows."""
    core: list[str] = []
    joining = ""
    for word in words:
        if word in _JOINED:
            joining += word
        else:
            core.append(joining + word)
            joining = ""
    if joining:
        core.append(joining)
    return " ".join([word for word in core if word not in _PARTICLES] or core)


def _take_suffix(words: list[str]) -> str:
    """Take generation suffixes and credentials off the end; the suffix that was there."""
    suffix = ""
    while len(words) > 1 and (words[-1] in _SUFFIXES or words[-1] in _CREDENTIALS):
        suffix = _SUFFIXES.get(words.pop(), suffix)
    return suffix


def _drop_titles(words: list[str]) -> list[str]:
    start = 0
    while start < len(words) - 1 and (words[start] in _TITLES or words[start] == "sr"):
        start += 1
    return words[start:]


@lru_cache(maxsize=CACHE)
def _parts(given: str, middle: str, family: str, suffix: str) -> Parsed:
    given, middle, family, stated = fold(given), fold(middle), fold(family), fold(suffix)
    if " " not in given and " " not in family:  # by far the most: nothing to take off
        return Parsed(given, middle, family, _SUFFIXES.get(stated, ""))
    givens = _drop_titles(given.split())
    families = family.split()
    found = _take_suffix(families) or _take_suffix(givens)
    first, *others = givens or [""]
    middles = others + middle.split()
    return Parsed(first, " ".join(middles), _family(families), _SUFFIXES.get(stated, "") or found)


@lru_cache(maxsize=CACHE)
def _line(full: str) -> Parsed:
    head, comma, tail = full.partition(",")
    if comma:
        rest = fold(tail).split()
        if rest and all(word in _SUFFIXES or word in _CREDENTIALS for word in rest):  # "John Smith, Jr"
            return _line(f"{head} {tail}")
        after, _, suffix = tail.partition(",")  # "Smith, John A, Jr"
        words = _drop_titles(fold(after).split())
        found = _take_suffix(words)
        parsed = _parts(" ".join(words), "", " ".join(_drop_titles(fold(head).split())), suffix)
        return parsed._replace(suffix=parsed.suffix or found)
    words = _drop_titles(fold(full).split())
    suffix = _take_suffix(words)
    if len(words) < 2:
        return Parsed("", "", _family(words), suffix)
    start = len(words) - 1  # the family name is the last word and the particles before it
    while start > 1 and (words[start - 1] in _PARTICLES or words[start - 1] in _JOINED):
        start -= 1
    return Parsed(words[0], " ".join(words[1:start]), _family(words[start:]), suffix)


def person(name: Name) -> Parsed:
    """The parts of a person's name, from the parts the source gives or else from its full line."""
    if name.given or name.family:
        return _parts(name.given[:LONGEST], name.middle[:LONGEST], name.family[:LONGEST], name.suffix[:LONGEST])
    return _line(name.full[:LONGEST]) if name.full else NOBODY
