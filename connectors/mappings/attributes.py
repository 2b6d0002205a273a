"""Compiles the `attributes` of a mapping to one function: event to `Attributes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast, get_args

from msgspec import UNSET
from msgspec.inspect import BoolType, StructType, type_info

from connectors.mappings.lines import split_name, split_street
from connectors.mappings.model import Condition, Element, Value
from connectors.mappings.paths import Getter, getter
from connectors.mappings.transforms import constant
from connectors.mappings.unfit import UnfitError
from connectors.mappings.values import Finish, Source, as_bool, as_text, compile_value
from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes, Kind, Part
from schemas.documents import Document
from streams.engine.contract import RejectedError

MAX_ELEMENTS = 1_000

Test: TypeAlias = Callable[[object, object], bool]
"""(current item, whole event) -> yes or no."""

LABELS = frozenset(
    ["use", "prefix", "suffix", "type", "issuer", "country", "verified", "valid_from", "valid_to", "status", "role", "start", "end", "channel", "at"]
)
"""Fields that say something about an element but are not its content: an element of nothing else is dropped."""


class Attribute:
    """One compiled attribute: what it becomes, and what of the event it is read from."""

    __slots__ = ("build", "name", "named", "paths")

    def __init__(self, name: str, build: Callable[[object, object], object], named: Test, paths: tuple[Getter, ...]) -> None:
        self.name = name
        self.build = build  # -> a value, or None for what is empty
        self.named = named  # whether a patch names it
        self.paths = paths


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

    def snapshot(self, item: object, event: object, unchanged: Callable[[object], bool] | None = None) -> Attributes:
        """All mapped attributes, `None` where the event has nothing; not those read from what the event leaves out as `unchanged`."""
        return self._read(item, event, lambda attribute: True, unchanged)

    def patch(self, item: object, event: object) -> Attributes:
        """The attributes the event names; the others are UNSET."""
        return self._read(item, event, lambda attribute: attribute.named(item, event), None)

    def _read(
        self, item: object, event: object, named: Callable[[Attribute], bool], unchanged: Callable[[object], bool] | None
    ) -> Attributes:
        attributes = Attributes()
        name = ""
        try:
            for attribute in self._attributes:
                name = attribute.name
                if named(attribute) and not (unchanged and _touches(attribute, item, event, unchanged)):
                    setattr(attributes, name, attribute.build(item, event))
            characteristics: dict[str, str | None] = {}
            for attribute in self._characteristics:
                name = f"characteristics.{attribute.name}"
                if named(attribute) and not (unchanged and _touches(attribute, item, event, unchanged)):
                    characteristics[attribute.name] = cast("str | None", attribute.build(item, event))
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self._source}, attribute {name}: {error.what}") from error
        if characteristics:
            attributes.characteristics = characteristics
        return attributes


def _touches(attribute: Attribute, item: object, event: object, unchanged: Callable[[object], bool]) -> bool:
    return any(unchanged(path(item, event)) for path in attribute.paths)


def _compile(name: str, mapped: object) -> Attribute:
    if name in LIST_ATTRIBUTES:
        return _list(name, [_element(LIST_ATTRIBUTES[name], element) for element in cast("tuple[Element, ...]", mapped)])
    if name == "kind":
        return _scalar(name, cast(Value, mapped), check=_kind)
    return _scalar(name, cast(Value, mapped))


def _kind(text: str) -> str:
    if text not in get_args(Kind):
        raise UnfitError("bad-value", f"not one of {', '.join(get_args(Kind))}")
    return text


def _scalar(name: str, mapped: Value, check: Callable[[str], str] | None = None) -> Attribute:
    source = compile_value(mapped)
    read, finish, default = source.read, source.finish, source.default

    def build(item: object, event: object) -> str | None:
        text = read(item, event)
        if text and finish:
            text = finish(text, item, event)
        text = text or default
        return check(text) if text and check else text or None

    return Attribute(name, build, _any_present(source.paths), source.paths)


def _list(name: str, elements: list[_Compiled]) -> Attribute:
    if len(elements) == 1:
        only = elements[0]
        return Attribute(name, lambda item, event: only.build(item, event) or None, only.named, only.paths)

    def build(item: object, event: object) -> list[Part] | None:
        return [part for element in elements for part in element.build(item, event)] or None

    def named(item: object, event: object) -> bool:
        return any(element.named(item, event) for element in elements)

    return Attribute(name, build, named, tuple(path for element in elements for path in element.paths))


def _any_present(paths: tuple[Getter, ...]) -> Test:
    """Whether the event has one of the paths, be it null; constants are always there."""
    if not paths:
        return lambda _item, _event: True
    if len(paths) == 1:
        path = paths[0]
        return lambda item, event: path(item, event) is not UNSET
    return lambda item, event: any(path(item, event) is not UNSET for path in paths)


# --- elements of lists --------------------------------------------------------------------------------


class _Compiled:
    """One compiled element of a mapping."""

    __slots__ = ("build", "named", "paths")

    def __init__(self, build: Callable[[object, object], list[Part]], named: Test, paths: tuple[Getter, ...]) -> None:
        self.build = build
        self.named = named
        self.paths = paths


def _element(part: type[Part], element: Element) -> _Compiled:
    make, sources = _maker(part, element)
    if element.each is not None:
        get = getter(element.each)
        build, paths = _for_each(get, element.each, make), (get,)
    else:
        build, paths = _single(make), tuple(path for source in sources for path in source.paths)
    named = _any_present(paths)
    if element.when is None:
        return _Compiled(build, named, paths)
    when, inner = compile_condition(element.when), build
    return _Compiled(
        lambda item, event: inner(item, event) if when(item, event) else [],
        lambda item, event: when(item, event) and named(item, event),
        (*paths, getter(element.when.path)),
    )


def _single(make: Callable[[object, object], Part | None]) -> Callable[[object, object], list[Part]]:
    def build(item: object, event: object) -> list[Part]:
        part = make(item, event)
        return [part] if part is not None else []

    return build


def _for_each(
    get: Getter, path: str, make: Callable[[object, object], Part | None]
) -> Callable[[object, object], list[Part]]:
    def build(item: object, event: object) -> list[Part]:
        found = get(item, event)
        if found is None or found is UNSET:
            return []
        items = found if isinstance(found, list) else [found]
        if len(items) > MAX_ELEMENTS:
            raise UnfitError("too-large", f"path {path}: more than {MAX_ELEMENTS:,} elements")
        return [part for inner in items if (part := make(inner, event)) is not None]

    return build


def _maker(part: type[Part], element: Element) -> tuple[Callable[[object, object], Part | None], list[Source]]:
    """A function that makes the element of an item, or None when nothing but labels and constants is there."""
    fixed: dict[str, object] = {}
    texts: list[tuple[str, Source, Finish | None, bool]] = []
    flags: list[tuple[str, Source, bool]] = []
    keeps_raw = "raw" in part.__struct_fields__ and getattr(element, "raw", None) is None
    for field in cast(StructType, type_info(part)).fields:
        name, is_flag = field.name, isinstance(field.type, BoolType)
        mapped: Value | None = getattr(element, name)
        if mapped is None:
            continue
        source = compile_value(mapped)
        if not source.paths:
            text = source.value(None, None)
            fixed[name] = as_bool(text) if is_flag else text
        elif is_flag:
            flags.append((name, source, name not in LABELS))
        else:
            texts.append((name, source, source.finish, name not in LABELS))
    split, line = _splitter(element)
    sources = [source for _, source, *_ in (*texts, *flags)] + ([line] if line else [])

    def make(item: object, event: object) -> Part | None:
        values = fixed.copy()
        kept = False
        if line:
            found = line.value(item, event)
            if found:
                values.update(split(found))
                kept = True
        for name, source, finish, content in texts:
            raw = source.read(item, event)
            text = finish(raw, item, event) if raw and finish else raw
            if text:
                values[name] = text
                kept = kept or content
            elif source.default:
                values[name] = source.default
            if raw and keeps_raw and name == "value":
                values["raw"] = raw
                kept = True
        for name, source, content in flags:
            text = source.value(item, event)
            if text:
                values[name] = as_bool(text)
                kept = kept or content
        return part(**values) if kept else None

    return make, sources


def _splitter(element: Element) -> tuple[Callable[[str], dict[str, str]], Source | None]:
    for split, mapped in ((split_name, element.split_name), (split_street, element.split_street)):
        if mapped is not None:
            return split, compile_value(mapped)
    return split_name, None


def compile_condition(condition: Condition) -> Test:
    """A compiled condition; what it compares is compared as text."""
    get = getter(condition.path)
    if condition.present is not None:
        wanted = condition.present
        return lambda item, event: (get(item, event) not in (None, UNSET)) == wanted
    scalars = condition.one_of if condition.one_of is not None else (condition.equals,)
    allowed = frozenset(constant(scalar) for scalar in scalars if scalar is not None)
    return lambda item, event: as_text(get(item, event), condition.path) in allowed
