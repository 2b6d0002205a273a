"""docs/operations.md has a row for every key of the configuration, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streams.app.config import Configuration

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def keys(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key that holds a value, as the table names it: `dead_letters.window`, `subscribers[].name`."""
    for name, field in model.model_fields.items():
        inner, in_list = model_inside(field.annotation)
        if inner:
            yield from keys(inner, f"{place}{name}{'[]' if in_list else ''}.")
        else:
            yield place + name, field


def model_inside(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model a value is made of, if it is, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    found = [model for part in get_args(annotation) if (model := model_inside(part)[0])]
    return (found[0] if found else None), get_origin(annotation) is tuple


def written(field: FieldInfo) -> str | None:
    """The default as the table must write it; None where that takes words."""
    if field.is_required():
        return "required"
    default = field.default
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if isinstance(default, (str, int, float, Path)) else None


KEYS = dict(keys(Configuration))
TABLE = OPERATIONS.read_text().partition("| key | default | meaning |\n|---|---|---|\n")[2].partition("\n\n")[0]
ROWS = [re.split(r" \| ", line.strip("| "), maxsplit=2) for line in TABLE.splitlines()]


def test_the_table_has_exactly_the_keys_there_are_each_once() -> None:
    assert sorted(key for key, _, _ in ROWS) == sorted(f"`{key}`" for key in KEYS)
    assert {"realms", "dead_letters.window", "subscribers[].name", "observe.listen"} <= KEYS.keys()


@pytest.mark.parametrize(("key", "default", "meaning"), ROWS, ids=lambda cell: cell if cell.startswith("`") else "")
def test_a_key_is_told_with_the_default_it_has(key: str, default: str, meaning: str) -> None:
    wanted = written(KEYS[key.strip("`")])
    assert default == wanted if wanted else default
    assert meaning
