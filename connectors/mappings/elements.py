"""Compiles the elements of list attributes: names, phones, addresses and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, cast

from msgspec import UNSET
from msgspec.inspect import BoolType, StructType, type_info

from connectors.mappings.conditions import ItemTest, Test, any_present, compile_condition, of_each_item
from connectors.mappings.lines import split_name, split_street
from connectors.mappings.model import Condition, Element, Value
from connectors.mappings.paths import Getter, all_keys, getter, only_step, opened
from connectors.mappings.unfit import UnfitError
from connectors.mappings.values import MAX_TEXT, Source, as_bool, as_text, compile_value, ended
from schemas.canonical import Part

MAX_ELEMENTS = 1_000

_EVERYWHERE = {"use", "type", "status", "verified", "valid_from", "valid_to", "start", "end"}
_DATES = frozenset({"valid_from", "valid_to", "start", "end", "at"})
LABELS = frozenset(_EVERYWHERE | {"prefix", "suffix", "issuer", "country", "role", "channel", "at"})
"""Fields that say something about an element but are not its content: an element of nothing else is dropped."""

Make: TypeAlias = Callable[[object, object], Part | None]
"""(current item, whole event) -> an element, or None when nothing but labels and constants is there."""


class ListReading(NamedTuple):
    """A compiled element of a mapping."""

    build: Callable[[object, object], list[Part]]
    named: Test  # whether a patch names it
    paths: tuple[Getter, ...]  # what it is read from
    texts: tuple[str, ...]  # the same as the mapping writes it, without conditions
    make: Make | None = None  # what `build` does, if it is one element or none


def compile_element(part: type[Part], element: Element) -> ListReading:
    make, sources = _maker(part, element)
    if element.each is not None:
        return _of_list(element.each, element.when, make)
    paths = tuple(path for source in sources for path in source.paths)
    texts = tuple(text for source in sources for text in source.texts)
    named = any_present(paths, all_keys(source.keys for source in sources))
    if element.when is None:
        return ListReading(_single(make), named, paths, texts, make)
    when, inner = compile_condition(element.when), _single(make)
    return ListReading(
        lambda item, event: inner(item, event) if when(item, event) else [],
        lambda item, event: when(item, event) and named(item, event),
        (*paths, getter(element.when.path)),
        texts,
    )


def _of_list(each: str, condition: Condition | None, make: Make) -> ListReading:
    """An element for each item of a list; a condition is asked of every item."""
    get, only = getter(each), only_step(each)
    named = any_present((get,), None if only is None else frozenset((only,)))
    if condition is None:
        return ListReading(_for_each(get, each, make), named, (get,), (each,))
    around, test = getter(condition.path), compile_condition(condition)
    return ListReading(
        _for_each(get, each, make, of_each_item(condition)),
        # What is around the list may say no for the whole of it.
        lambda item, event: named(item, event) and (_absent(around, item, event) or test(item, event)),
        (get, around),
        (each,),
    )


def _absent(get: Getter, item: object, event: object) -> bool:
    return get(item, event) is UNSET


def _single(make: Make) -> Callable[[object, object], list[Part]]:
    def build(item: object, event: object) -> list[Part]:
        part = make(item, event)
        return [part] if part is not None else []

    return build


def items_of(get: Getter, path: str, item: object, event: object) -> list[object]:
    """The items of the list at a path, also of one in JSON text; anything else is a list of one. Raises UnfitError."""
    found = opened(get(item, event))
    if found is None or found is UNSET:
        return []
    items = found if isinstance(found, list) else [found]
    if len(items) > MAX_ELEMENTS:
        raise UnfitError("too-large", f"path {path}: more than {MAX_ELEMENTS:,} elements")
    return items


def _for_each(
    get: Getter, path: str, make: Callable[[object, object], Part | None], when: ItemTest | None = None
) -> Callable[[object, object], list[Part]]:
    if when is None:
        return lambda item, event: [
            part for inner in items_of(get, path, item, event) if (part := make(inner, event)) is not None
        ]
    return lambda item, event: [
        part
        for inner in items_of(get, path, item, event)
        if when(inner, item, event) and (part := make(inner, event)) is not None
    ]


class _Fields(NamedTuple):
    """What an element is made of."""

    fixed: dict[str, object]  # constants
    contents: list[tuple[str, Source]]
    labels: list[tuple[str, Source]]  # looked at only when there is content
    flags: list[str]  # which of both are true or false
    with_raw: str | None  # the field whose untransformed text `raw` keeps


def _fields(part: type[Part], element: Element) -> _Fields:
    keeps_raw = "raw" in part.__struct_fields__ and getattr(element, "raw", None) is None
    fields = _Fields({}, [], [], [], "value" if keeps_raw else None)
    for field in cast(StructType, type_info(part)).fields:
        mapped: Value | None = getattr(element, field.name)
        if mapped is None:
            continue
        source, is_flag = compile_value(mapped), isinstance(field.type, BoolType)
        if field.name in _DATES and not mapped.transform:
            source = ended(source)
        if not source.paths:
            text = source.value(None, None)
            fields.fixed[field.name] = as_bool(text) if is_flag else text
            continue
        (fields.labels if field.name in LABELS else fields.contents).append((field.name, source))
        if is_flag:
            fields.flags.append(field.name)
    return fields


def _maker(part: type[Part], element: Element) -> tuple[Make, list[Source]]:
    fixed, contents, labels, flags, with_raw = _fields(part, element)
    split, line = _splitter(element)
    sources = [source for _, source in contents + labels] + ([line] if line else [])
    inside = [(name, source.key, source.read, source.finish, name == with_raw) for name, source in contents]
    labelled = [(name, source.key, source.finish, source.default, source.value) for name, source in labels]
    defaults = [(name, source.default) for name, source in contents if source.default]
    only = inside[0][1] if len(inside) == 1 and line is None else None

    def make(item: object, event: object) -> Part | None:
        keys = item if type(item) is dict else None
        if only is not None and keys is not None and keys.get(only) is None:
            return None
        found: dict[str, object] = {}
        if line and (text := line.value(item, event)):
            found.update(split(text))
        for name, key, read, finish, keeps_raw in inside:
            if key is not None and keys is not None:
                # `read`, without the calls: here is where the time of an event goes, and most of it finds nothing.
                value = keys.get(key)
                if value is None:
                    continue
                plain = type(value) is str and len(value) <= MAX_TEXT and value.isprintable()
                raw = value.strip() if plain else as_text(value, key)
            else:
                raw = read(item, event)
            if raw:
                if text := finish(raw, item, event) if finish else raw:
                    found[name] = text
                if keeps_raw:
                    found["raw"] = raw
        if not found:
            return None
        for name, default in defaults:
            found.setdefault(name, default)
        for name, key, finish, default, value_of in labelled:
            value = keys.get(key) if key is not None and keys is not None else None
            if type(value) is str and len(value) <= MAX_TEXT and value.isprintable():  # `value_of`, without the calls
                text = value.strip()
                text = (finish(text, item, event) if finish and text else text) or default
            else:
                text = value_of(item, event)
            if text:
                found[name] = text
        for name in flags:
            if name in found:
                found[name] = as_bool(cast(str, found[name]))
        if fixed:
            found.update(fixed)
        return part(**found)

    return make, sources


def _splitter(element: Element) -> tuple[Callable[[str], dict[str, str]], Source | None]:
    for name, split in (("split_name", split_name), ("split_street", split_street)):
        mapped: Value | None = getattr(element, name, None)
        if mapped is not None:
            return split, compile_value(mapped)
    return split_name, None
