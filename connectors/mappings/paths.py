r"""Paths into a message: `a.b` from the current item, `/a.b` from the top of the event, `//key.id` from the message itself.

    phones.0.number   through objects and lists; `.` is the current item
    customer\.id      one key with a dot in its name (also `\/` and `\\`)
    /country          from the top of the event; `/` is the event
    //key, //key.id   the message's key, //header.NAME, //topic, //partition, //offset, //timestamp (ms), //schema, //row

Looking up a path gives the value, `None` where the path or anything before its end is null, `UNSET` where it is absent.
A path goes on into text that holds a JSON object or list. A key that is nowhere as steps is also found as one name:
`name.last` in `{"name.last": ...}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET

from connectors.mappings.around import MESSAGE_PARTS, message_part
from connectors.mappings.unchanged import UNCHANGED
from connectors.mappings.unfit import UnfitError

Getter: TypeAlias = Callable[[object, object], object]
"""(current item, whole event) -> value, None or UNSET."""


class Path(NamedTuple):
    start: Literal["item", "event", "message"]
    steps: tuple[str, ...]


Keys: TypeAlias = frozenset[str] | None
"""The keys of the current item that something is read from; None if it is read from elsewhere, too."""

_PART = re.compile(r"\\[./\\]|.", re.DOTALL)
_OPENS = ("{", "[")


def parse_path(text: str) -> Path:
    """Raises ValueError."""
    if text in {".", "/"}:
        return Path("event" if text == "/" else "item", ())
    if text.startswith("//"):
        return _message_path(text)
    steps = _split(text.removeprefix("/"), "./" if text.startswith("/") else ".")
    if not all(steps):
        raise ValueError(
            f"{text!r} is not a path like a.b, list.0.a, /from.the.top, //key.id or . for the item itself"
            r" (a dot in a name is written \.)"
        )
    return Path("event" if text.startswith("/") else "item", steps)


def _message_path(text: str) -> Path:
    steps = _split(text[2:], ".")
    first, rest = steps[0], steps[1:]
    fits = (bool(rest) or first != "header") and (not rest or first in {"key", "header"})
    if first not in MESSAGE_PARTS or not all(steps) or not fits:
        allowed = "//key, //key.id, //header.name, " + ", ".join(f"//{part}" for part in MESSAGE_PARTS[2:])
        raise ValueError(f"{text!r} is not a path into a message: there are {allowed}")
    return Path("message", (first, ".".join(rest)) if first == "header" else steps)


def _split(text: str, separators: str) -> tuple[str, ...]:
    steps = [""]
    for part in _PART.findall(text):
        if len(part) == 2:
            steps[-1] += part[1]
        elif part in separators:
            steps.append("")
        else:
            steps[-1] += part
    return tuple(steps)


def getter(text: str) -> Getter:
    """A function that looks the path up. It raises UnfitError where the event holds text or a number on the way."""
    get, trace = _getter(text), _TRACE.get()
    return get if trace is None else trace.around(text, get)


class Trace:
    """Which paths of a mapping were looked up, and which of them were found. For `singleview check`."""

    def __init__(self) -> None:
        self.found: dict[str, bool] = {}  # by path, once it was looked up

    def around(self, text: str, get: Getter) -> Getter:
        def look(item: object, event: object) -> object:
            value = get(item, event)
            self.found[text] = self.found.get(text, False) or value is not UNSET
            return value

        return look


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def traced(trace: Trace) -> Iterator[None]:
    """What is compiled meanwhile is slower, and notes in the trace which paths it finds."""
    token = _TRACE.set(trace)
    try:
        yield
    finally:
        _TRACE.reset(token)


def _getter(text: str) -> Getter:
    path = parse_path(text)
    start, steps = path
    if start == "message":
        return _in_message(steps, text)
    if not steps:
        return (lambda _item, event: event) if start == "event" else (lambda item, _event: item)
    absolute = start == "event"
    if len(steps) == 1 and not absolute:
        only = steps[0]
        return lambda item, _event: item.get(only, UNSET) if type(item) is dict else _step(item, only, text)
    several = len(steps) > 1

    def get(item: object, event: object) -> object:
        value = event if absolute else item
        for step in steps:
            value = value.get(step, UNSET) if type(value) is dict else _step(value, step, text)
        if value is UNSET and several:
            return _joined(event if absolute else item, steps, text)
        return value

    return get


def _in_message(steps: tuple[str, ...], text: str) -> Getter:
    first, *rest = steps

    def get(_item: object, _event: object) -> object:
        if first == "header":
            return message_part(first, rest[0])
        value = message_part(first)
        for step in rest:
            value = value.get(step, UNSET) if type(value) is dict else _step(value, step, text)
        return value

    return get


def first_step(text: str) -> str:
    """Where a path begins, without what it begins from; empty for the item or event itself."""
    steps = parse_path(text).steps
    return steps[0] if steps else ""


def only_step(text: str) -> str | None:
    """The step of a path that is just one name in the current item; None for other paths, and where paths are traced."""
    path = parse_path(text)
    if _TRACE.get() is not None:
        return None
    return path.steps[0] if len(path.steps) == 1 and path.start == "item" else None


def all_keys(parts: Iterable[Keys]) -> Keys:
    """The keys of all parts."""
    found: frozenset[str] = frozenset()
    for keys in parts:
        if keys is None:
            return None
        found |= keys
    return found


def opened(value: object) -> object:
    """The object or list that a text holds in JSON; everything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith(_OPENS):
        return _document(value)
    return value


@lru_cache(maxsize=4)  # several paths go into one column, and a message is 1 MB at most
def _document(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _step(value: object, step: str, text: str) -> object:
    if value is None or value is UNSET or value is UNCHANGED:
        return value
    if isinstance(value, str):
        value = opened(value)
    if isinstance(value, dict):
        return value.get(step, UNSET)
    if isinstance(value, list) and step.isdecimal() and len(step) < 10:
        index = int(step)
        return value[index] if index < len(value) else UNSET
    raise _unfit(value, step, text)


def _unfit(value: object, step: str, text: str) -> UnfitError:
    if isinstance(value, PartOfList):
        return UnfitError(
            "bad-value",
            f"path {text}: the update tells only a part of the list: have the connector send whole documents"
            " (capture.mode: change_streams_update_full)",
        )
    return UnfitError("bad-value", f"path {text}: an object was expected before {step!r}")


class PartOfList:
    """Stands in an event for a list of which an update tells only a part: nothing can be read from it."""


def _joined(value: object, steps: tuple[str, ...], text: str) -> object:
    """What stands at the steps if some of them are one name with dots, as in MongoDB's `updatedFields`."""
    value = opened(value)
    if not isinstance(value, dict):
        found = _step(value, steps[0], text)
        return found if len(steps) == 1 or found is UNSET or found is None else _joined(found, steps[1:], text)
    for count in range(1, len(steps) + 1):
        key = ".".join(steps[:count])
        if key in value:
            found = value[key] if count == len(steps) else _joined(value[key], steps[count:], text)
            if found is not UNSET:
                return found
    return UNSET
