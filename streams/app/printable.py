"""Text of unknown origin as people and terminals may see it: used by everything that is printed and logged."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero width, and part of how Persian and Indian names are written: they do nothing to a terminal."""


def is_harmless(character: str) -> bool:
    """Whether a character only shows itself: no control character, none that turns the direction of what follows."""
    return character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs"


def printable(text: str) -> str:
    r"""The text with everything else escaped as in Python: `\x1b`, `\u202e`, `\n`. Most text comes back as it is."""
    if text.isprintable():
        return text
    return "".join(c if is_harmless(c) else _escaped(c) for c in text)


def printable_lines(text: str) -> str:
    """The same, for text whose lines are its own (a message of several problems, a traceback)."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """JSON with such characters escaped in JSON's own way: it means the same to programs."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or is_harmless(c) else _json_escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _json_escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
