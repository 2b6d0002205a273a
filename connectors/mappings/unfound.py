"""Paths of a mapping that are in no sample: misspelt, of another topic, or constants that look like paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connectors.mappings.model import MappingDocument
from connectors.mappings.paths import parse_path

_PATHS = frozenset({"path", "each", "split"})
_LISTS = frozenset({"first", "root", "changed"})
_OFTEN_CONSTANT = frozenset(
    {
        "use",
        "type",
        "issuer",
        "role",
        "channel",
        "purpose",
        "provider",
        "country",
        "default_region",
        "kind",
        "status",
        "realm",
    }
)
"""What a mapping often says itself: a path there that is nowhere may be meant as the value."""


class Unfound(NamedTuple):
    """A path that was looked for in the samples, and is in none."""

    path: str
    where: tuple[str, ...]  # the places of the mapping that name it, such as `attributes.phones.value`
    constant: bool  # it may be meant as a constant

    def __str__(self) -> str:
        hint = f": if it is meant as the value, write {{constant: {self.path}}}" if self.constant else ""
        return f"{self.path} ({', '.join(self.where)}) is in no sample{hint}"


def unfound_paths(document: MappingDocument, found: Mapping[str, bool]) -> tuple[Unfound, ...]:
    """`found`: by path, those that were looked for."""
    by_path: dict[str, list[str]] = {}
    for where, path in places(document):
        if found.get(path) is False:
            by_path.setdefault(path, []).append(shown(where))
    return tuple(
        Unfound(path, tuple(dict.fromkeys(where)), _looks_constant(path, where)) for path, where in sorted(by_path.items())
    )


def _looks_constant(path: str, where: list[str]) -> bool:
    parsed = parse_path(path)
    alone = len(parsed.steps) == 1 and parsed.start == "item"
    return alone and any(place.rpartition(".")[2] in _OFTEN_CONSTANT for place in where)


def places(document: MappingDocument) -> Iterator[tuple[str, str]]:
    """Every path of a mapping, with its place in it."""
    yield from _places(document.model_dump(), "")


def _places(part: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for key, inner in part.items():
            place = f"{where}.{key}" if where else str(key)
            if key in _PATHS and isinstance(inner, str):
                yield place, inner
            elif key in _LISTS and isinstance(inner, list | tuple) and all(isinstance(path, str) for path in inner):
                yield from ((place, path) for path in inner)
            else:
                yield from _places(inner, place)
    elif isinstance(part, list | tuple):
        for number, inner in enumerate(part):
            yield from _places(inner, f"{where}.{number}")


def shown(where: str) -> str:
    """A place as a person would say it: without numbers, and without `path`, for which a bare text stands."""
    steps = [step for step in where.split(".") if not step.isdecimal()]
    return ".".join(steps[:-1] if steps[-1] == "path" and len(steps) > 1 else steps)
