"""Folding text: case, accents, alphabets and punctuation, so that only a real difference remains."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from streams.identity.data import pairs

CACHE = 1 << 16  # spellings kept by each cached function: names and streets repeat; some 10 MB when full

RECENT = 1 << 14
"""Whole values kept by each cached function: one customer's records, and those of one household, come close together."""

_DIGRAPHS = pairs("digraphs.txt")
_LETTERS = str.maketrans(pairs("letters.txt"))

_APOSTROPHES = re.compile("['`\\u00b4\\u02bc\\u2018\\u2019]")  # straight, grave, acute, and the typographer's three
_OTHERS = re.compile(r"[\W_]+")
_NOT_ALNUM = re.compile(r"[^0-9A-Z]+")


LONGEST = 200  # characters of a value that are looked at: no real name or line is longer, and caches must stay small


def fold(text: str) -> str:
    """Lower case Latin letters and digits, words separated by one space. Scripts without a table keep their letters."""
    return _fold(text[:LONGEST])


@lru_cache(maxsize=CACHE)
def _fold(text: str) -> str:
    text = text.casefold()
    if text.isascii():
        words = text.split()
        if "".join(words).isalnum():  # by far the most
            return " ".join(words)
    else:
        # Decomposing may bring capitals back (mathematical letters), and folding those accents.
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold())
        text = "".join([letter for letter in decomposed if not unicodedata.combining(letter)])
        for digraph, latin in _DIGRAPHS.items():
            text = text.replace(digraph, latin)
        text = text.translate(_LETTERS)
    return _OTHERS.sub(" ", _APOSTROPHES.sub("", text)).strip()


def code(text: str) -> str:
    """Upper case ASCII letters and digits only: identification values, postcodes, issuers."""
    text = text[:LONGEST].upper()
    if text.isascii():
        text = "".join(text.split())
        if text.isalnum():  # by far the most
            return text
    else:
        text = fold(text).upper()
    return _NOT_ALNUM.sub("", text)
