"""Identifications and genders: small closed vocabularies and codes."""

from __future__ import annotations

from streams.identity.standardise.text import code, fold

FEWEST_CHARACTERS = 4  # shorter values identify nobody, unless the issuer guarantees them
_GENDERS = {
    **dict.fromkeys(("m", "male", "man", "mann", "mannlich", "homme", "h", "hombre", "masculino", "maschio", "1"), "m"),
    **dict.fromkeys(("f", "female", "woman", "frau", "weiblich", "w", "femme", "mujer", "femenino", "femmina", "2"), "f"),
}


def number(text: str) -> str:
    """An identification's value: upper case letters and digits."""
    return code(text)


def gender(text: str) -> str:
    """m, f, or empty for anything else: another gender is not evidence for or against."""
    return _GENDERS.get(fold(text), "")
