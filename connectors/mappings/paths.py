"""Paths into a decoded event: `a.b`, `phones.0.number`, `/country` from the top of the event, `.` the item itself.

Looking up a path gives the value, `None` where the path or anything before its end is null, `UNSET` where it is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from msgspec import UNSET

from connectors.mappings.unfit import UnfitError

Getter: TypeAlias = Callable[[object, object], object]
"""(current item, whole event) -> value, None or UNSET."""


class Path(NamedTuple):
    absolute: bool
    steps: tuple[str, ...]


Keys: TypeAlias = frozenset[str] | None
"""The keys of the current item that something is read from; None if it is read from elsewhere, too."""


def parse_path(text: str) -> Path:
    """Raises ValueError."""
    absolute = text.startswith("/")
    if text in {".", "/"}:
        return Path(absolute, ())
    steps = tuple(text.removeprefix("/").replace("/", ".").split(".") if absolute else text.split("."))
    if not all(steps):
        raise ValueError(f"{text!r} is not a path like a.b, list.0.a, /from.the.top or . for the item itself")
    return Path(absolute, steps)


def getter(text: str) -> Getter:
    """A function that looks the path up. It raises UnfitError where the event holds text or a number on the way."""
    path = parse_path(text)
    if not path.steps:
        return (lambda _item, event: event) if path.absolute else (lambda item, _event: item)
    absolute, steps = path
    if len(steps) == 1 and not absolute:
        only = steps[0]
        return lambda item, _event: item.get(only, UNSET) if type(item) is dict else _step(item, only, text)

    def get(item: object, event: object) -> object:
        value = event if absolute else item
        for step in steps:
            value = value.get(step, UNSET) if type(value) is dict else _step(value, step, text)
        return value

    return get


def only_step(text: str) -> str | None:
    """The step of a path that is just one name in the current item; None for other paths."""
    path = parse_path(text)
    return path.steps[0] if len(path.steps) == 1 and not path.absolute else None


def all_keys(parts: Iterable[Keys]) -> Keys:
    """The keys of all parts."""
    found: frozenset[str] = frozenset()
    for keys in parts:
        if keys is None:
            return None
        found |= keys
    return found


def _step(value: object, step: str, text: str) -> object:
    if value is None or value is UNSET:
        return value
    if isinstance(value, list) and step.isdecimal() and len(step) < 10:
        index = int(step)
        return value[index] if index < len(value) else UNSET
    raise UnfitError("bad-value", f"path {text}: an object was expected before {step!r}")
