"""How a name sounds, in two finenesses. A compact code of our own for European names; not a published algorithm."""

from __future__ import annotations

import re
from functools import lru_cache

from streams.identity.standardise.text import CACHE

# Applied in order. Capitals are sounds that no letter spells: S = sh.
_SPELLINGS = (
    ("sch", "S"), ("tch", "S"), ("sh", "S"), ("ph", "f"), ("pf", "f"), ("gh", ""), ("th", "t"), ("dt", "t"), ("ck", "k"),
    ("ce", "se"), ("ci", "si"), ("cy", "si"), ("ch", "k"), ("c", "k"), ("q", "k"), ("x", "ks"), ("z", "s"), ("w", "f"),
    ("v", "f"), ("dg", "j"), ("ge", "je"), ("gi", "ji"), ("y", "i"), ("ae", "a"), ("oe", "o"), ("ue", "u"),
)  # fmt: skip
_SILENT_STARTS = (("kn", "n"), ("gn", "n"), ("wr", "r"), ("ps", "s"))
_DOUBLE = re.compile(r"(.)\1")
_VOWELS = re.compile(r"[aeiou]+")
_NO_VOWELS = str.maketrans("", "", "aeiou")
_VOWEL_CLASS = {"a": "a", "e": "i", "i": "i", "o": "o", "u": "o"}

SKELETON_LENGTH = 6


def _respell(word: str) -> str:
    for start, sound in _SILENT_STARTS:
        if word.startswith(start):
            word = sound + word[len(start) :]
            break
    for spelling, sound in _SPELLINGS:
        if spelling in word:
            word = word.replace(spelling, sound)
    return _single(word[:1] + word[1:].replace("h", ""))


def _single(word: str) -> str:
    """Each letter once where it is doubled."""
    if not _DOUBLE.search(word):
        return word  # by far the most
    return "".join([letter for letter, before in zip(word, " " + word, strict=False) if letter != before])


@lru_cache(maxsize=CACHE)
def skeleton(folded: str) -> str:
    """Consonants only, a leading vowel as `a`: generous, for finding candidates (John, Jane and Jean are one)."""
    word = _respell(folded.replace(" ", ""))
    if not word:
        return ""
    head = "a" if word[0] in _VOWEL_CLASS else word[0]
    return head + _single(word[1:].translate(_NO_VOWELS))[: SKELETON_LENGTH - 1]


@lru_cache(maxsize=CACHE)
def sound(folded: str) -> str:
    """Consonants and vowel classes: strict, for calling two names alike (Stephen and Steven; not John and Jane)."""
    word = folded.replace(" ", "")
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return _VOWELS.sub(lambda run: _VOWEL_CLASS[run.group()[0]], _respell(word))
