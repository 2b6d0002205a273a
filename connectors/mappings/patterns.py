"""Regular expressions from a mapping, kept to those that cannot run away."""

from __future__ import annotations

import re

MAX_INPUT = 200
MAX_CHOICES = 10
_OF_A_REPEAT = 3
"""What a failing match tries is the product of its choices: each `?` or `|` doubles it, each repeat multiplies it by up to
200 characters. The worst that is allowed is three repeats and a `?`: a third of a second for 200 equal characters, usually
microseconds. Five more `?` take 20 seconds, twenty more days."""

_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[*+{]")
_CHOICE = re.compile(r"(?<![*+?(])\?|\|")  # not the `?` of `*?` or `(?:`
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")


def safe_pattern(text: str) -> re.Pattern[str]:
    """Compile, or raise ValueError: more than `MAX_CHOICES`, where `?` and `|` are one and `*`, `+`, `{}` three, or a repeat
    of a group."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    bare = _ESCAPED.sub("x", text)
    if re.search(r"\)[*+{]", bare):
        raise ValueError(f"{text!r} repeats a group, which can take for ever: repeat single characters or classes only")
    if _VERBOSE.search(bare):
        raise ValueError(f"{text!r} has the flag x, which hides what is repeated: leave it and the blanks out")
    choices = len(_CHOICE.findall(bare)) + _OF_A_REPEAT * len(_REPEAT.findall(bare))
    if choices > MAX_CHOICES:
        raise ValueError(
            f"{text!r} leaves {choices} choices, which can take for ever: at most {MAX_CHOICES}, where ? and | are one"
            f" and the repeats *, + and {{}} are {_OF_A_REPEAT}"
        )
    return pattern
