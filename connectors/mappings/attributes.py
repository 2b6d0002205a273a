"""Compiles the `attributes` of a mapping to one function: event to `Attributes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast, get_args

from connectors.mappings.conditions import Test, any_present
from connectors.mappings.elements import ListReading, compile_element
from connectors.mappings.model import Element, Value
from connectors.mappings.paths import Getter
from connectors.mappings.unfit import UnfitError
from connectors.mappings.values import MAX_TEXT, compile_value
from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes, Kind, Part
from schemas.documents import Document
from streams.engine.contract import RejectedError

KINDS: tuple[str, ...] = get_args(Kind)


class Attribute(NamedTuple):
    """A compiled attribute."""

    name: str
    build: Callable[[object, object], object]  # (current item, whole event) -> its value, None for an empty one
    named: Test  # whether a patch names it
    paths: tuple[Getter, ...]  # what it is read from


class AttributesReader:
    """Maps the attributes of events. Every error names the mapping and the attribute."""

    def __init__(self, source: str, document: Document) -> None:
        self._source = source
        self._attributes = [
            _compile(name, getattr(document, name))
            for name in ATTRIBUTES
            if name != "characteristics" and getattr(document, name)
        ]
        characteristics: Mapping[str, Value] = getattr(document, "characteristics", None) or {}
        self._characteristics = [_scalar(key, value) for key, value in characteristics.items()]

    def snapshot(self, item: object, event: object) -> Attributes:
        """All mapped attributes, `None` where the event has nothing."""
        return self._read(item, event)

    def partial(self, item: object, event: object, unchanged: Callable[[object], bool]) -> Attributes:
        """As a snapshot, but UNSET where an attribute is read from a value that stands for `unchanged`."""
        return self._read(item, event, unchanged=unchanged)

    def patch(self, item: object, event: object) -> Attributes:
        """The attributes the event names; the others are UNSET."""
        return self._read(item, event, patch=True)

    def _read(
        self, item: object, event: object, *, patch: bool = False, unchanged: Callable[[object], bool] | None = None
    ) -> Attributes:
        attributes = Attributes(**self._collect(self._attributes, item, event, patch, unchanged))
        if self._characteristics and (found := self._collect(self._characteristics, item, event, patch, unchanged)):
            attributes.characteristics = found
        return attributes

    def _collect(
        self,
        readings: list[Attribute],
        item: object,
        event: object,
        patch: bool,
        unchanged: Callable[[object], bool] | None,
    ) -> dict[str, Any]:
        found = {}
        name = ""
        try:
            for name, build, named, paths in readings:
                if patch and not named(item, event):
                    continue
                if unchanged is None or not any(unchanged(path(item, event)) for path in paths):
                    found[name] = build(item, event)
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self._source}, attribute {name}: {error.what}") from error
        return found


def _compile(name: str, mapped: object) -> Attribute:
    if name in LIST_ATTRIBUTES:
        elements = cast("tuple[Element, ...]", mapped)
        return _list(name, [compile_element(LIST_ATTRIBUTES[name], element) for element in elements])
    if name == "kind":
        return _scalar(name, cast(Value, mapped), check=_kind)
    return _scalar(name, cast(Value, mapped))


def _kind(text: str) -> str:
    if text not in KINDS:
        raise UnfitError("bad-value", f"not one of {', '.join(KINDS)}")
    return text


def _scalar(name: str, mapped: Value, check: Callable[[str], str] | None = None) -> Attribute:
    source = compile_value(mapped)
    key, finish, default, value = source.key, source.finish, source.default, source.value

    def build(item: object, event: object) -> str | None:
        found = item.get(key) if key is not None and type(item) is dict else None
        if type(found) is str and len(found) <= MAX_TEXT:  # `value`, without the calls
            text = found.strip()
            text = (finish(text, item, event) if finish and text else text) or default
        else:
            text = value(item, event)
        return check(text) if text and check else text or None

    return Attribute(name, build, any_present(source.paths, source.keys), source.paths)


def _list(name: str, elements: list[ListReading]) -> Attribute:
    if len(elements) == 1 and (make := elements[0].make) is not None:
        return Attribute(name, lambda item, event: _alone(make(item, event)), elements[0].named, elements[0].paths)
    if len(elements) == 1:
        only = elements[0]
        return Attribute(name, lambda item, event: only.build(item, event) or None, only.named, only.paths)

    def build(item: object, event: object) -> list[Part] | None:
        parts: list[Part] = []
        for inner, _, _, make in elements:
            if make is None:
                parts += inner(item, event)
            elif (part := make(item, event)) is not None:
                parts.append(part)
        return parts or None

    def named(item: object, event: object) -> bool:
        return any(element.named(item, event) for element in elements)

    return Attribute(name, build, named, tuple(path for element in elements for path in element.paths))


def _alone(part: Part | None) -> list[Part] | None:
    return None if part is None else [part]
