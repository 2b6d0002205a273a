"""The public schemas read all that was released, and a change that could not is found."""

from __future__ import annotations

import io
import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_one

from schemas.evolution import FOLDER, check, incompatibilities, released

NAMES = ("customer-view", "customer-change")


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_committed_schemas_are_compatible_and_released() -> None:
    assert check() == []


@pytest.mark.parametrize("name", NAMES)
def test_samples_of_every_released_version_are_read_with_the_current_one(name: str) -> None:
    current = fastavro.parse_schema(load(FOLDER / f"{name}.avsc"))
    versions = released(name)
    assert versions
    for path in versions.values():
        old = fastavro.parse_schema(load(path))
        for _ in range(5):
            data = io.BytesIO()
            fastavro.schemaless_writer(data, old, generate_one(old))
            data.seek(0)
            fastavro.schemaless_reader(data, old, current)


V1 = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "count", "type": "int", "default": 0},
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "parts",
            "type": {"type": "array", "items": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "string"}]}},
        },
        {"name": "more", "type": {"type": "map", "values": "P"}},
        {"name": "size", "type": {"type": "enum", "name": "E", "symbols": ["s", "m"]}},
    ],
}


def changed(index: int, **parts: Any) -> Any:
    schema = deepcopy(V1)
    fields: Any = schema["fields"]
    fields[index] = fields[index] | parts
    return schema


def with_field(**field: Any) -> Any:
    schema: Any = deepcopy(V1)
    schema["fields"].append(field)
    return schema


@pytest.mark.parametrize(
    "reader",
    [
        V1,
        changed(1, type="long"),
        changed(0, type=["null", "string"]),
        with_field(name="new", type="string", default=""),
        {**V1, "fields": [field for field in V1["fields"] if field["name"] != "note"]},  # type: ignore[index]
        changed(5, type={"type": "enum", "name": "E", "symbols": ["s", "m", "l"]}),
    ],
)
def test_a_compatible_change_passes(reader: Any) -> None:
    assert incompatibilities(reader, V1) == []


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (with_field(name="new", type="string"), "new: is new and has no default"),
        (changed(0, type="long"), "id: was string, is long"),
        (changed(2, type="string", default=""), "note: was null, is string"),
        (changed(3, type={"type": "array", "items": "string"}), "parts[]: was record, is string"),
        (changed(4, type={"type": "map", "values": "string"}), "more{}: was record, is string"),
        (changed(5, type={"type": "enum", "name": "E", "symbols": ["s"]}), "size: no longer knows m"),
        ({**V1, "name": "Q"}, "schema: was named R, is Q"),
        ({**V1, "fields": [{"name": "count", "type": "int"}]}, "count: had a default and has none"),
        (changed(0, type=["null", "long"]), "id: string is no longer in the union"),
    ],
)
def test_an_incompatible_change_is_named_with_its_place(reader: Any, why: str) -> None:
    assert why in incompatibilities(reader, V1)


def test_a_change_that_was_not_released_fails(tmp_path: Path) -> None:
    folder = tmp_path / "avro"
    shutil.copytree(FOLDER, folder)
    path = folder / "customer-view.avsc"
    schema = load(path)
    schema["fields"].append({"name": "score", "type": "int", "default": 0})
    path.write_text(json.dumps(schema))
    assert check(folder) == ["customer-view: differs from version 2; release it as customer-view.v3.avsc"]
    del schema["fields"][-1]["default"]
    path.write_text(json.dumps(schema))
    assert "customer-view: cannot read version 1: score: is new and has no default" in check(folder)


def test_a_schema_never_released_fails(tmp_path: Path) -> None:
    folder = tmp_path / "avro"
    folder.mkdir()
    shutil.copy(FOLDER / "customer-view.avsc", folder)
    (problem,) = check(folder)
    assert "no released version" in problem
