"""One line that holds several fields, taken apart where its form is clear, else kept whole."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREFIXES = _words(
    "mr mrs ms miss mx dr prof sir dame lord lady rev fr herr frau monsieur madame mme mlle sr sra srta señor señora "
    "don doña"
)
_SUFFIXES = {"jr": "Jr", "junior": "Jr", "sr": "Sr", "senior": "Sr", "ii": "II", "iii": "III", "iv": "IV"}
_PARTICLES = _words("van von der den de del della di da dos du la le ter ten zu bin al el mac st")
_LEGAL_FORMS = _words(
    "ltd limited plc llp llc inc corp corporation co gmbh ag ug kg ohg se ev eg sa sas sarl sasu sci sl slu slne srl spa "
    "bv nv oy ab as aps dac clg ltda kk pty"
)
_MAX_WORDS = 8


def split_name(line: str) -> dict[str, str]:
    """Fields of `Name` for `John A Smith`, `Mr John Smith Jr`, `Smith, John A`, `SMITH JOHN`, `Bright Harbour Ltd`.

    One word, or more than eight, says nothing about its parts: it stays `full`. A line that ends in a company's legal form
    is an `organization` (a short one only in capitals: `Banco SA`, not `Maria Sa`). Without a comma the family name is
    last, unless its word alone is in capitals (`SMITH John`) or the whole line is (`SMITH JOHN`, as old systems print it).
    """
    line = " ".join(line.split())
    if not line:
        return {}
    if _is_organization(line):
        return {"organization": line}
    family_part, comma, rest = line.partition(",")
    if comma and "," not in rest and rest.strip():
        if _word(rest) in _SUFFIXES:  # `John Smith, Jr`
            return split_name(f"{family_part} {rest.strip()}")
        return _after_comma(family_part.strip(), rest.split(), line)
    return _in_order(line.split(), line)


def _is_organization(line: str) -> bool:
    *before, last = line.split()
    form = _word(last)
    return bool(before) and form in _LEGAL_FORMS and (len(form) > 2 or last.isupper() or before[-1] in {"&", "and"})


def _word(text: str) -> str:
    return text.strip(" ,").replace(".", "").casefold()


def _affixes(words: list[str], parts: dict[str, str]) -> list[str]:
    """The words without a title before and a suffix after, which go to `parts`."""
    if len(words) > 1 and _word(words[0]) in _PREFIXES:
        parts["prefix"], words = words[0], words[1:]
    if len(words) > 2 and _word(words[-1]) in _SUFFIXES:
        parts["suffix"], words = _SUFFIXES[_word(words[-1])], words[:-1]
    return words


def _after_comma(family: str, words: list[str], line: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    if len(words) > 1 and _word(words[-1]) in _SUFFIXES:
        parts["suffix"], words = _SUFFIXES[_word(words[-1])], words[:-1]
    else:
        before = family.split()
        if len(before) > 1 and _word(before[-1]) in _SUFFIXES:  # `Smith Jr, John`
            parts["suffix"], family = _SUFFIXES[_word(before[-1])], " ".join(before[:-1])
    words = _affixes(words, parts)
    if not family or len(words) > _MAX_WORDS:
        return {"full": line}
    return parts | _given(words) | {"family": family}


def _in_order(words: list[str], line: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    words = _affixes(words, parts)
    if not 2 <= len(words) <= _MAX_WORDS:
        return {"full": line}
    if len(words[0]) > 2 and words[0].isupper() and (not words[-1].isupper() or line.isupper()):
        return parts | _given(words[1:]) | {"family": words[0]}
    start = len(words) - 1
    while start > 1 and _word(words[start - 1]) in _PARTICLES:
        start -= 1
    return parts | _given(words[:start]) | {"family": " ".join(words[start:])}


def _given(words: list[str]) -> dict[str, str]:
    return {"given": words[0], "middle": " ".join(words[1:])} if len(words) > 1 else {"given": words[0]}


_HOUSE = r"\d{1,5}(?: ?[A-Za-z])?(?:[-/]\d{1,5}[A-Za-z]?)?"
_HOUSE_FIRST = re.compile(rf"({_HOUSE})(?:, ?| )(.{{2,}})", re.ASCII)
_HOUSE_LAST = re.compile(rf"(.{{2,}}?)(?:, ?| )({_HOUSE})", re.ASCII)


def split_street(line: str) -> dict[str, str]:
    """`house` and `street` of `12 High Street`, `Hauptstraße 12a`, `Calle Mayor, 12`; without a number, all is `street`."""
    line = " ".join(line.split())
    if first := _HOUSE_FIRST.fullmatch(line):
        return {"house": first[1], "street": first[2]}
    if last := _HOUSE_LAST.fullmatch(line):
        return {"house": last[2], "street": last[1]}
    return {"street": line} if line else {}
