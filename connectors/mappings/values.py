"""Compiles a mapping's values to functions: find the text, then transform it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial, reduce
from math import isfinite
from typing import NamedTuple, TypeAlias
from uuid import UUID

from msgspec import UNSET

from connectors.mappings import transforms
from connectors.mappings.countries import alpha2
from connectors.mappings.model import DateTransform, PhoneTransform, Transform, Value
from connectors.mappings.paths import Getter, Keys, all_keys, getter, only_step
from connectors.mappings.phones import e164
from connectors.mappings.unchanged import UNCHANGED
from connectors.mappings.unfit import UnchangedError, UnfitError
from connectors.mappings.wrapped import hexadecimal, number, unwrapped

MAX_TEXT = 10_000

Read: TypeAlias = Callable[[object, object], str]
"""(current item, whole event) -> text, trimmed; empty where there is none."""

Finish: TypeAlias = Callable[[str, object, object], str]
"""(text, current item, whole event) -> the transformed text."""


class Source(NamedTuple):
    """A compiled value."""

    read: Read  # the text as the source wrote it
    finish: Finish | None  # what its transforms make of text that is not empty
    default: str  # stands where both leave nothing
    paths: tuple[Getter, ...]  # what it is read from, to see whether an event names it; none: a constant
    texts: tuple[str, ...]  # the same as the mapping writes it
    keys: Keys  # what the paths are, if they are that plain
    key: str | None  # of the current item, if it is read from just there
    value: Read  # all of it: read, transformed, or the default


def compile_value(value: Value) -> Source:
    read, paths, keys = _origin(value)
    steps = [_transform(transform) for transform in value.transform]
    default = "" if value.default is None else transforms.constant(value.default)
    key = None if value.path is None else only_step(value.path)
    finish = reduce(_then, steps) if steps else None
    return Source(read, finish, default, paths, _texts(value), keys, key, _whole(read, finish, default))


def ended(source: Source) -> Source:
    """A date that is taken as it is written, without PostgreSQL's `infinity`, which means that there is none."""

    def finish(text: str, _item: object, _event: object) -> str:
        return "" if text.lstrip("+-").lower() == "infinity" else text

    return source._replace(finish=finish, value=_whole(source.read, finish, source.default))


def _texts(value: Value) -> tuple[str, ...]:
    if value.path is not None:
        return (value.path,)
    return tuple(text for part in value.concat or value.first or () for text in _texts(part))


def _whole(read: Read, finish: Finish | None, default: str) -> Read:
    if finish is None:
        return (lambda item, event: read(item, event) or default) if default else read

    def value(item: object, event: object) -> str:
        text = read(item, event)
        return (finish(text, item, event) if text else "") or default

    return value


def as_text(value: object, what: str) -> str:
    """A scalar of an event as trimmed text. Raises UnfitError for an object, a list, or what is too long."""
    if type(value) is str:
        text = value.strip() if value.isprintable() else value.strip(_BLANKS)
    elif value is None or value is UNSET:
        return ""
    elif isinstance(value, bool):
        return "true" if value else "false"
    elif isinstance(value, int) and value.bit_length() <= 256:
        return str(value)
    elif isinstance(value, float) and isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    elif isinstance(value, datetime | date | time):
        return value.isoformat()
    elif isinstance(value, UUID | str) or (isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 100):
        text = str(value).strip()
    elif value is UNCHANGED:
        raise UnchangedError(what)
    elif day := _listed_day(value):
        return day
    elif (plain := unwrapped(value)) is not value:
        return as_text(plain, what)
    else:
        raise UnfitError("bad-value", f"path {what}: text or a number was expected")
    if len(text) > MAX_TEXT:
        raise UnfitError("too-large", f"path {what}: longer than {MAX_TEXT:,} characters")
    return text


_BLANKS = (
    "".join(chr(code) for code in range(0x3001) if chr(code).isspace() or code < 0x20 or 0x7F <= code < 0xA0) + "\ufeff"
)
"""What is no part of a text at its ends: blanks, and the control characters that fill columns of a fixed width."""


def _listed_day(value: object) -> str:
    """`[1981, 1, 2]`, as Java's serializers write a date: its day in ISO 8601; empty for what is none."""
    if not isinstance(value, list) or not 3 <= len(value) <= 7 or not all(type(part) is int for part in value):
        return ""
    try:
        return date(*value[:3]).isoformat()
    except (ValueError, OverflowError):
        return ""


def _origin(value: Value) -> tuple[Read, tuple[Getter, ...], Keys]:
    if value.path is not None:
        return _from_path(value.path)
    if value.constant is not None:
        text = transforms.constant(value.constant)
        return (lambda _item, _event: text), (), frozenset()
    parts = [compile_value(part) for part in value.concat or value.first or ()]
    paths = tuple(path for part in parts for path in part.paths)
    read = _first(parts) if value.first else _concat(parts, value.separator)
    return read, paths, all_keys(part.keys for part in parts)


def _from_path(path: str) -> tuple[Read, tuple[Getter, ...], Keys]:
    get = getter(path)
    key = only_step(path)

    def read(item: object, event: object) -> str:
        # The one path most values have, without the calls: this is where the time of an event goes.
        found = item.get(key) if key is not None and type(item) is dict else get(item, event)
        if found is None:
            return ""
        if type(found) is str and len(found) <= MAX_TEXT and found.isprintable():
            return found.strip()
        return as_text(found, path)

    return read, (get,), None if key is None else frozenset((key,))


def _concat(parts: list[Source], separator: str) -> Read:
    def read(item: object, event: object) -> str:
        text = separator.join(filter(None, (part.value(item, event) for part in parts)))
        if len(text) > MAX_TEXT:
            raise UnfitError("too-large", f"a joined value is longer than {MAX_TEXT:,} characters")
        return text.strip()

    return read


def _first(parts: list[Source]) -> Read:
    return lambda item, event: next(filter(None, (part.value(item, event) for part in parts)), "")


def _then(before: Finish, after: Finish) -> Finish:
    def both(text: str, item: object, event: object) -> str:
        text = before(text, item, event)
        return after(text, item, event) if text else ""

    return both


def _transform(transform: str | Transform) -> Finish:
    if transform == "phone":
        return _phone(PhoneTransform())
    if transform == "date":
        return _plain(transforms.dates(DateTransform()))
    if transform == "hex":
        return _plain(hexadecimal)
    if isinstance(transform, str):
        return _plain(transforms.WORDS[transform])
    if transform.phone is not None:
        return _phone(transform.phone)
    if transform.date is not None:
        return _plain(transforms.dates(transform.date))
    if transform.map is not None:
        return _plain(transforms.table(transform.map))
    if transform.decimal is not None:
        return _plain(partial(number, scale=transform.decimal))
    return _plain(transforms.extract(transform.extract or ""))


def _plain(transform: transforms.TextTransform) -> Finish:
    return lambda text, _item, _event: transform(text)


def _phone(options: PhoneTransform) -> Finish:
    if options.international:
        return lambda text, _item, _event: e164(text if text.startswith(("+", "00")) else "+" + text, "")
    if options.default_region is None:
        return lambda text, _item, _event: e164(text, "")
    region = compile_value(options.default_region)
    return lambda text, item, event: e164(text, alpha2(region.value(item, event)))


_YES = re.compile("true|t|yes|y|1|on", re.IGNORECASE)
_NO = re.compile("|false|f|no|n|0|off", re.IGNORECASE)


def as_bool(text: str) -> bool:
    """Text as true or false; empty is false. Raises UnfitError."""
    if _YES.fullmatch(text):
        return True
    if _NO.fullmatch(text):
        return False
    raise UnfitError("bad-value", "true or false was expected")
