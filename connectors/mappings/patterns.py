"""Regular expressions from a mapping, kept to those that cannot run away."""

from __future__ import annotations

import re

MAX_INPUT = 200
MAX_REPEATS = 3
"""With at most 3 repeats, none of them nested, matching 200 characters takes at most about 200^3 steps, usually a few."""

_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def safe_pattern(text: str) -> re.Pattern[str]:
    """Compile, or raise ValueError: more than `MAX_REPEATS` of `*`, `+`, `{}`, or one of them after a group."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    bare = _ESCAPED.sub("x", text)
    if re.search(r"\)[*+{]", bare):
        raise ValueError(f"{text!r} repeats a group, which can take for ever: repeat single characters or classes only")
    if len(re.findall(r"[*+{]", bare)) > MAX_REPEATS:
        raise ValueError(f"{text!r} has more than {MAX_REPEATS} repeats (*, +, {{}})")
    return pattern
