"""Names of organizations: what is left when legal form and filler words are gone."""

from __future__ import annotations

import re

from streams.identity.data import words
from streams.identity.standardise.text import fold

_WORDS = words("organization_words.txt")
_EMPTY_WORDS = _WORDS["legal_form"] | _WORDS["clear_form"] | _WORDS["filler"]
_CLEAR_FORMS = _WORDS["clear_form"]
_SPELLED_OUT = re.compile(r"\b(?:\w )+\w\b")  # "g m b h", what folding leaves of G.m.b.H.


def _fold(text: str) -> str:
    return _SPELLED_OUT.sub(lambda run: run.group().replace(" ", ""), fold(text))


def organization(text: str) -> str:
    """Words in their order, folded, without legal forms and fillers; all words where nothing else would be left."""
    wordlist = _fold(text).split()
    core = [word for word in wordlist if word not in _EMPTY_WORDS]
    return " ".join(core or wordlist)


def names_organization(line: str) -> bool:
    """Whether a line of unknown kind ends in a legal form no person's name ends in."""
    return _fold(line).rpartition(" ")[2] in _CLEAR_FORMS
