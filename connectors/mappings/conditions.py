"""Compiles the tests a mapping makes of an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import UNSET

from connectors.mappings.model import Condition
from connectors.mappings.paths import Getter, Keys, getter
from connectors.mappings.transforms import constant
from connectors.mappings.values import as_text

Test: TypeAlias = Callable[[object, object], bool]
"""(current item, whole event) -> yes or no."""


def compile_condition(condition: Condition) -> Test:
    """A compiled condition; what it compares is compared as text."""
    get = getter(condition.path)
    if condition.present is not None:
        wanted = condition.present
        return lambda item, event: (get(item, event) not in (None, UNSET)) == wanted
    scalars = condition.one_of if condition.one_of is not None else (condition.equals,)
    allowed = frozenset(constant(scalar) for scalar in scalars if scalar is not None)
    return lambda item, event: as_text(get(item, event), condition.path) in allowed


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
