"""Compiles the tests a mapping makes of an event."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from msgspec import UNSET

from connectors.mappings.model import Condition
from connectors.mappings.paths import Getter, Keys, getter, opened
from connectors.mappings.transforms import constant
from connectors.mappings.values import as_text

Test: TypeAlias = Callable[[object, object], bool]
"""(current item, whole event) -> yes or no."""


_TYPES: dict[str, frozenset[type]] = {
    "text": frozenset({str, bytes}),
    "number": frozenset({int, float, Decimal}),
    "boolean": frozenset({bool}),
    "object": frozenset({dict}),
    "list": frozenset({list}),
}


def compile_condition(condition: Condition) -> Test:
    """A compiled condition; what it compares is compared as text."""
    get = getter(condition.path)
    if condition.present is not None:
        wanted = condition.present
        return lambda item, event: (get(item, event) not in (None, UNSET)) == wanted
    if condition.type is not None:
        kinds = _TYPES[condition.type]
        return lambda item, event: type(opened(get(item, event))) in kinds
    scalars = condition.one_of if condition.one_of is not None else (condition.equals,)
    allowed = frozenset(constant(scalar) for scalar in scalars if scalar is not None)
    return lambda item, event: as_text(get(item, event), condition.path) in allowed


ItemTest: TypeAlias = Callable[[object, object, object], bool]
"""(item of a list, what is around the list, whole event) -> yes or no."""


def of_each_item(condition: Condition) -> ItemTest:
    """As `compile_condition`, of each item of a list. A path that the item lacks is looked up around the list."""
    test, get = compile_condition(condition), getter(condition.path)
    itself = condition.path == "."

    def fits(item: object, around: object, event: object) -> bool:
        here = itself or (isinstance(item, dict | list) and get(item, event) is not UNSET)
        return test(item if here else around, event)

    return fits


def any_present(paths: tuple[Getter, ...], keys: Keys = None) -> Test:
    """Whether the event has one of the paths, be it null; what is made of constants alone is always there.

    `keys` are what the paths are, if each is just a key of the current item: looked at without going there.
    """
    if not paths:
        return lambda _item, _event: True
    if keys is None:
        return lambda item, event: any(path(item, event) is not UNSET for path in paths)

    def named(item: object, event: object) -> bool:
        if type(item) is dict:
            return not item.keys().isdisjoint(keys)
        return any(path(item, event) is not UNSET for path in paths)

    return named
