"""How values go wrong on their way into a system: slips, scanners, ears, habits. Each function returns one wrong form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import TypeAlias

Slip: TypeAlias = Callable[[Random, str], str]

_NEIGHBOURS = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok", "j": "hku",
    "k": "jli", "l": "ko", "m": "nj", "n": "bm", "o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adw", "t": "ryg",
    "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xa",
}  # fmt: skip
_SOUNDS = (
    ("ph", "f"), ("f", "ph"), ("ie", "y"), ("ei", "ai"), ("ey", "y"), ("ck", "k"), ("c", "k"), ("k", "c"), ("tt", "t"),
    ("ll", "l"), ("nn", "n"), ("z", "s"), ("th", "t"), ("dt", "t"), ("v", "w"), ("y", "i"), ("e", "a"), ("n", "nn"),
    ("l", "ll"), ("a", "e"),
)  # fmt: skip
_SCANS = (
    ("rn", "m"),
    ("m", "rn"),
    ("cl", "d"),
    ("li", "h"),
    ("o", "0"),
    ("l", "1"),
    ("i", "l"),
    ("e", "c"),
    ("u", "v"),
    ("n", "u"),
)
_SHORT_STREETS = (
    (re.compile(r"\bStreet\b"), "St"), (re.compile(r"\bRoad\b"), "Rd"), (re.compile(r"\bAvenue\b"), "Ave"),
    (re.compile(r"\bLane\b"), "Ln"), (re.compile(r"\bDrive\b"), "Dr"), (re.compile(r"\bCourt\b"), "Ct"),
    (re.compile(r"\bSquare\b"), "Sq"), (re.compile(r"\bPark\b"), "Pk"), (re.compile(r"\bGardens\b"), "Gdns"),
    (re.compile(r"straße\b"), "str."), (re.compile(r"Straße\b"), "Str."), (re.compile(r"^avenue\b"), "av."),
    (re.compile(r"^boulevard\b"), "bd"), (re.compile(r"^rue\b"), "r."), (re.compile(r"^chemin\b"), "ch."),
    (re.compile(r"^Calle\b"), "C/"), (re.compile(r"^Avenida\b"), "Avda."), (re.compile(r"^Plaza\b"), "Pza."),
    (re.compile(r"^Paseo\b"), "Pº"),
)  # fmt: skip


@lru_cache(maxsize=2_048)
def without_accents(text: str) -> str:
    """The text in plain Latin letters, as a system without Unicode would keep it."""
    text = text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=2_048)
def plain(text: str) -> str:
    """Only lower-case Latin letters and digits."""
    return "".join(c for c in without_accents(text).lower() if c.isascii() and c.isalnum())


def typo(rng: Random, text: str) -> str:
    """One slip of the finger after the first letter: a neighbour, a letter lost, doubled or exchanged."""
    if len(text) < 3:
        return text
    at = 1 + int((len(text) - 1) * rng.random())
    kind = rng.random()
    letter = text[at]
    if kind < 0.35:
        near = _NEIGHBOURS.get(letter.lower())
        return text[:at] + (near[int(len(near) * rng.random())] if near else letter + letter) + text[at + 1 :]
    if kind < 0.6:
        return text[:at] + text[at + 1 :]
    if kind < 0.8 and at + 1 < len(text):
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    return text[:at] + letter + text[at:]


def misheard(rng: Random, text: str) -> str:
    """Written as it sounds; a typing slip where nothing sounds alike."""
    return _replaced(rng, text, _SOUNDS)


def misread(rng: Random, text: str) -> str:
    """Read by a scanner; a typing slip where nothing looks alike."""
    return _replaced(rng, text, _SCANS)


def _replaced(rng: Random, text: str, table: tuple[tuple[str, str], ...]) -> str:
    start = int(len(table) * rng.random())
    for step in range(len(table)):
        old, new = table[(start + step) % len(table)]
        at = text.find(old, 1)
        if at > 0:
            return text[:at] + new + text[at + len(old) :]
    return typo(rng, text)


def wrong_digit(rng: Random, digits: str) -> str:
    """One of the last six digits is another."""
    places = [at for at, c in enumerate(digits) if c.isdigit()][-6:]
    if not places:
        return digits
    at = places[int(len(places) * rng.random())]
    other = (int(digits[at]) + 1 + int(9 * rng.random())) % 10
    return f"{digits[:at]}{other}{digits[at + 1 :]}"


def swapped_birth(birth: str) -> str:
    """Day and month exchanged, where both readings are dates; else as it was."""
    year, month, day = birth.split("-")
    return f"{year}-{day}-{month}" if int(day) <= 12 else birth


def wrong_birth(rng: Random, birth: str) -> str:
    """A real date with one number wrong."""
    year, month, day = birth.split("-")
    kind = rng.random()
    if kind < 0.4:
        return f"{int(year) + (1 if kind < 0.2 else -1)}-{month}-{min(int(day), 28):02d}"
    if kind < 0.6:
        return f"{year}-{1 + (int(month) + int(11 * rng.random())) % 12:02d}-{min(int(day), 28):02d}"
    return f"{year}-{month}-{1 + (int(day) + int(27 * rng.random())) % 28:02d}"


@lru_cache(maxsize=2_048)
def short_street(street: str) -> str:
    """The street as people abbreviate it."""
    for pattern, short in _SHORT_STREETS:
        street, count = pattern.subn(short, street, count=1)
        if count:
            return street
    return street
