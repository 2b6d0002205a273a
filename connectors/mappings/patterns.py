"""Regular expressions from a mapping, kept to those that cannot run away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import factorial
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_INPUT = 200
MAX_CHOICES = 10
_OF_A_REPEAT = 3
MAX_STEPS = 5_000_000
"""What a failing match tries is the product of its choices: each `?` or `|` doubles it, each repeat multiplies it by up to
200 characters if what follows may match them too, and so does looking for the beginning. 5 million steps are a tenth of a
second; three such repeats without a `^` are 66 million, four a thousand times that."""

_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[*+{]")
_CHOICE = re.compile(r"(?<![*+?(])\?|\|")  # not the `?` of `*?` or `(?:`
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_SAMPLES = [chr(code) for code in range(0x180)] + list("\u0416\u0436\u0663\u0966\u2028\u212a\u4e2d\U0001f600")
"""Characters of every class a pattern may tell apart."""


def safe_pattern(text: str) -> re.Pattern[str]:
    """Compile, or raise ValueError: more than `MAX_CHOICES`, where `?` and `|` are one and `*`, `+`, `{}` three, more than
    `MAX_STEPS`, a repeat of a group, or a reference back to one."""
    try:
        pattern = re.compile(text)
        parsed = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    bare = _ESCAPED.sub("x", text)
    if re.search(r"\)[*+{]", bare):
        raise ValueError(f"{text!r} repeats a group, which can take for ever: repeat single characters or classes only")
    if _VERBOSE.search(bare):
        raise ValueError(f"{text!r} has the flag x, which hides what is repeated: leave it and the blanks out")
    if any(op in (ops.GROUPREF, ops.GROUPREF_EXISTS) for op, _ in _nodes(parsed)):
        raise ValueError(f"{text!r} is no regular expression to be trusted: a reference back to a group can take for ever")
    options, repeats = len(_CHOICE.findall(bare)), len(_REPEAT.findall(bare))
    choices = options + _OF_A_REPEAT * repeats
    if choices > MAX_CHOICES:
        raise ValueError(
            f"{text!r} leaves {choices} choices, which can take for ever: at most {MAX_CHOICES}, where ? and | are one"
            f" and the repeats *, + and {{}} are {_OF_A_REPEAT}"
        )
    if _steps(parsed, options) > MAX_STEPS:
        raise ValueError(
            f"{text!r} can take for seconds: begin with ^, or let another character follow a repeat than those it repeats"
        )
    return pattern


def _steps(parsed: Any, options: int) -> int:
    nodes = list(parsed)
    anchored = bool(nodes) and nodes[0][0] is ops.AT and nodes[0][1] in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING)
    flags = parsed.state.flags
    repeats = list(_repeats(nodes, [], flags))
    factors = sum(repeats) + (not all(repeats)) + (not anchored or bool(flags & re.MULTILINE))
    return int(MAX_INPUT**factors // factorial(factors) * 2**options)


def _repeats(nodes: list[Any], after: list[Any], flags: int) -> Iterator[bool]:
    """For each repeat, whether what follows may match what it repeats: then each place to stop is tried with all the rest.
    Of the others it is tried once whether what follows matches."""
    for index, (op, value) in enumerate(nodes):
        rest = nodes[index + 1 :] + after
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and value[0] != value[1] and value[1] > 1:
            yield bool(_matched(next(iter(value[2])), flags) & _first(rest, flags))
        for inner in _inside(op, value):
            yield from _repeats(list(inner), rest, flags)


def _first(nodes: list[Any], flags: int) -> frozenset[str]:
    """What the next character may be."""
    found: frozenset[str] = frozenset()
    for index, (op, value) in enumerate(nodes):
        if op is ops.AT:
            continue
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            found |= _first(list(value[2]), flags)
            if value[0]:
                return found
            continue
        inner = list(_inside(op, value))
        if not inner:
            return found | _matched((op, value), flags)
        rest = nodes[index + 1 :]
        return found.union(*(_first(list(each) + rest, flags) for each in inner))
    return found


def _matched(node: Any, flags: int) -> frozenset[str]:
    """The sample characters that a node for one character matches; all of them for what is none."""
    op, value = node
    if op in (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY):
        try:
            one = re._compiler.compile(_alone(node, flags), flags & (re.IGNORECASE | re.DOTALL | re.ASCII))  # type: ignore[attr-defined]
        except (re.error, RuntimeError):
            return frozenset(_SAMPLES)
        written = [chr(value)] if op is ops.LITERAL else []
        return frozenset(character for character in [*_SAMPLES, *written] if one.fullmatch(character))
    return frozenset(_SAMPLES)


def _alone(node: Any, flags: int) -> Any:
    state = parser.State()
    state.flags = flags
    state.str = ""
    return parser.SubPattern(state, [node])


def _inside(op: Any, value: Any) -> Iterator[Any]:
    if op is ops.SUBPATTERN:
        yield value[3]
    elif op is ops.BRANCH:
        yield from value[1]
    elif op in (ops.ASSERT, ops.ASSERT_NOT):
        yield value[1]
    elif op is ops.ATOMIC_GROUP:
        yield value
    elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT) and next(iter(value[2]))[0] in (
        ops.SUBPATTERN,
        ops.BRANCH,
    ):
        yield value[2]


def _nodes(parsed: Any) -> Iterator[Any]:
    for op, value in parsed:
        yield op, value
        for inner in _inside(op, value):
            yield from _nodes(inner)
