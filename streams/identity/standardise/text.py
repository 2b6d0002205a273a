"""Folding text: case, accents, alphabets and punctuation, so that only a real difference remains."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CACHE = 1 << 16  # spellings kept by each cached function: names and streets repeat; some 10 MB when full

_DIGRAPHS = (("ου", "ou"), ("μπ", "b"), ("ντ", "nt"), ("γγ", "ng"))

_LETTERS = str.maketrans(
    {
        # Latin letters that do not decompose
        "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n", "ə": "a",
        # Greek, after ISO 843
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
        "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
        "χ": "ch", "ψ": "ps", "ω": "o",
        # Cyrillic, as passports write it
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l",
        "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "і": "i",
        "є": "ye", "ґ": "g", "ђ": "dj", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz",
    }
)  # fmt: skip

_APOSTROPHES = re.compile(r"['`´ʼ’‘]")
_OTHERS = re.compile(r"[\W_]+")
_NOT_ALNUM = re.compile(r"[^0-9A-Z]+")


@lru_cache(maxsize=CACHE)
def fold(text: str) -> str:
    """Lower case Latin letters and digits, words separated by one space. Scripts without a table keep their letters."""
    text = text.casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)) if not unicodedata.combining(c))
        for digraph, latin in _DIGRAPHS:
            text = text.replace(digraph, latin)
        text = text.translate(_LETTERS)
    return _OTHERS.sub(" ", _APOSTROPHES.sub("", text)).strip()


def code(text: str) -> str:
    """Upper case ASCII letters and digits only: identification values, postcodes, issuers."""
    text = text.upper()
    if not text.isascii():
        text = fold(text).upper()
    return _NOT_ALNUM.sub("", text)
