"""Compiles characteristics that are read from a list, such as TMF's `[{"name": ..., "value": ...}]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from connectors.mappings.conditions import Test, any_present, of_each_item
from connectors.mappings.elements import items_of
from connectors.mappings.model import Characteristics, ListedValue
from connectors.mappings.paths import Getter, getter
from connectors.mappings.values import compile_value


class Attribute(NamedTuple):
    """A compiled attribute."""

    name: str
    build: Callable[[object, object], object]  # (current item, whole event) -> its value, None for an empty one
    named: Test  # whether a patch names it
    paths: tuple[Getter, ...]  # what it is read from
    texts: tuple[str, ...]  # the same as the mapping writes it


def compile_listed(name: str, mapped: ListedValue) -> Attribute:
    """The value of the first item of a list that fits and has one."""
    get, source, when = (
        getter(mapped.each),
        compile_value(mapped.value),
        None if mapped.when is None else of_each_item(mapped.when),
    )

    def build(item: object, event: object) -> str | None:
        items = items_of(get, mapped.each, item, event)
        values = (source.value(inner, event) for inner in items if when is None or when(inner, item, event))
        return next(filter(None, values), None)

    return Attribute(name, build, any_present((get,)), (get,), (mapped.each,))


class Listing(NamedTuple):
    """Characteristics that a list names."""

    build: Callable[[object, object], dict[str, str]]
    text: str


def compile_listing(mapped: Characteristics) -> Listing:
    get, when = getter(mapped.each), None if mapped.when is None else of_each_item(mapped.when)
    name, value = compile_value(mapped.name).value, compile_value(mapped.value).value

    def build(item: object, event: object) -> dict[str, str]:
        items = items_of(get, mapped.each, item, event)
        pairs = ((name(inner, event), value(inner, event)) for inner in items if when is None or when(inner, item, event))
        return {key: text for key, text in pairs if key and text}

    return Listing(build, mapped.each)
