"""Compiles the `attributes` of a mapping to one function: event to `Attributes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast, get_args

from msgspec import UNSET

from connectors.mappings.characteristics import Attribute, compile_listed, compile_listing
from connectors.mappings.conditions import any_present
from connectors.mappings.elements import ListReading, compile_element
from connectors.mappings.model import Characteristics, Element, ListedValue, Value
from connectors.mappings.paths import parse_path
from connectors.mappings.unfit import UnchangedError, UnfitError
from connectors.mappings.values import MAX_TEXT, compile_value
from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes, Kind, Part
from schemas.documents import Document
from streams.engine.contract import RejectedError

KINDS: tuple[str, ...] = get_args(Kind)


NONE: frozenset[str] = frozenset()
CHARACTERISTIC = "characteristics."
IDENTIFYING = frozenset({"names", "birth_date", "identifications", "emails", "phones", "addresses"})
"""What a value that cannot be read costs the event: without it, or with what it was before, the record may be taken for
another customer's. Another attribute stays as it was, and is counted."""


class Skipped:
    """The attributes of an event that stay as they were, though it names them."""

    def __init__(self) -> None:
        self.unchanged = False  # the source does not say what they are
        self.unread: list[tuple[str, UnfitError]] = []  # what it says cannot be read

    def __bool__(self) -> bool:
        return self.unchanged or bool(self.unread)

    def add(self, attribute: str, error: UnfitError) -> None:
        if isinstance(error, UnchangedError):
            self.unchanged = True
        else:
            self.unread.append((attribute, error))


class AttributesReader:
    """Maps the attributes of events. Every error names the mapping and the attribute."""

    def __init__(self, source: str, document: Document) -> None:
        self._source = source
        self._attributes = [
            _compile(name, getattr(document, name))
            for name in ATTRIBUTES
            if name != "characteristics" and getattr(document, name)
        ]
        parts: tuple[Any, ...] = getattr(document, "characteristics", None) or ()
        self._listings = [compile_listing(part) for part in parts if isinstance(part, Characteristics)]
        self._characteristics = [
            compile_listed(key, value) if isinstance(value, ListedValue) else _scalar(key, value)
            for part in parts
            if not isinstance(part, Characteristics)
            for key, value in part.items()
        ]

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """By attribute (`characteristics.<key>` for those): the paths it is read from, as the mapping writes them."""
        found = {attribute.name: attribute.texts for attribute in self._attributes}
        found |= {CHARACTERISTIC + attribute.name: attribute.texts for attribute in self._characteristics}
        if self._listings:
            found[CHARACTERISTIC] = tuple(listing.text for listing in self._listings)
        return found

    def snapshot(self, item: object, event: object, kept: frozenset[str], skipped: Skipped) -> Attributes:
        """All mapped attributes, `None` where the event has nothing. Those of `kept` are UNSET."""
        return self._read(item, event, skipped, kept=kept)

    def patch(self, item: object, event: object, skipped: Skipped) -> Attributes:
        """The attributes the event names; the others are UNSET."""
        return self._read(item, event, skipped, chosen=lambda attribute: attribute.named(item, event))

    def changed(self, item: object, event: object, names: Names, skipped: Skipped) -> Attributes:
        """The attributes that have a value, and those whose paths are among the names of what changed."""
        return self._read(item, event, skipped, chosen=lambda attribute: _changed(attribute, item, event, names))

    def _read(
        self,
        item: object,
        event: object,
        skipped: Skipped,
        *,
        chosen: Chosen | None = None,
        kept: frozenset[str] = NONE,
    ) -> Attributes:
        attributes = Attributes(**self._collect(self._attributes, item, event, chosen, kept, skipped, ""))
        if self._characteristics or self._listings:
            inner = frozenset(name.removeprefix(CHARACTERISTIC) for name in kept) if kept else kept
            found = self._collect(self._characteristics, item, event, chosen, inner, skipped, CHARACTERISTIC)
            for listing in self._listings:
                try:
                    found |= listing.build(item, event)
                except UnfitError as error:
                    skipped.add("characteristics", error)
            if found:
                attributes.characteristics = found
        return attributes

    def _collect(
        self,
        readings: list[Attribute],
        item: object,
        event: object,
        chosen: Chosen | None,
        kept: frozenset[str],
        skipped: Skipped,
        prefix: str,
    ) -> dict[str, Any]:
        found = {}
        for attribute in readings:
            name = attribute.name
            if name in kept:
                continue
            try:
                if chosen is None or chosen(attribute):
                    found[name] = attribute.build(item, event)
            except UnfitError as error:
                if name in IDENTIFYING and not prefix and not isinstance(error, UnchangedError):
                    raise RejectedError(error.reason, f"mapping {self._source}, attribute {name}: {error.what}") from error
                skipped.add(prefix + name, error)
        return found


Names: TypeAlias = frozenset[tuple[str, ...]]
"""What an event says has changed: the steps of paths."""

Chosen: TypeAlias = Callable[[Attribute], bool]


def _changed(attribute: Attribute, item: object, event: object, names: Names) -> bool:
    if not attribute.paths or any(path(item, event) not in (None, UNSET) for path in attribute.paths):
        return True
    return any(_is_among(parse_path(text).steps, names) for text in attribute.texts)


def _is_among(steps: tuple[str, ...], names: Names) -> bool:
    """Whether a name is that of a path, of something the path goes through, or of a part of what the path finds."""
    return any(steps[: len(name)] == name or name[: len(steps)] == steps for name in names)


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
        if type(found) is str and len(found) <= MAX_TEXT and found.isprintable():  # `value`, without the calls
            text = found.strip()
            text = (finish(text, item, event) if finish and text else text) or default
        else:
            text = value(item, event)
        return check(text) if text and check else text or None

    return Attribute(name, build, any_present(source.paths, source.keys), source.paths, source.texts)


def _list(name: str, elements: list[ListReading]) -> Attribute:
    if len(elements) == 1 and (make := elements[0].make) is not None:
        only = elements[0]
        return Attribute(name, lambda item, event: _alone(make(item, event)), only.named, only.paths, only.texts)
    if len(elements) == 1:
        only = elements[0]
        return Attribute(name, lambda item, event: only.build(item, event) or None, only.named, only.paths, only.texts)

    def build(item: object, event: object) -> list[Part] | None:
        parts: list[Part] = []
        for element in elements:
            if element.make is None:
                parts += element.build(item, event)
            elif (part := element.make(item, event)) is not None:
                parts.append(part)
        return parts or None

    def named(item: object, event: object) -> bool:
        return any(element.named(item, event) for element in elements)

    return Attribute(
        name,
        build,
        named,
        tuple(path for element in elements for path in element.paths),
        tuple(text for element in elements for text in element.texts),
    )


def _alone(part: Part | None) -> list[Part] | None:
    return None if part is None else [part]
