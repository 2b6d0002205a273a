"""Whether the public schemas can still read what was written with each released version.

`schemas/avro/<name>.avsc` is current; `schemas/avro/released/<name>.v<N>.avsc` are copies of what was released, never
changed. To release a change: bump N and copy. `python -m schemas.evolution` prints what is wrong and fails.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

FOLDER = Path(__file__).with_name("avro")

Schema: TypeAlias = Any
"""A schema as JSON: a name, a mapping, or a list (a union)."""

PROMOTIONS: dict[str, tuple[str, ...]] = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
"""Avro 1.12, schema resolution: what a written type may be read as."""


def incompatibilities(reader: Schema, writer: Schema) -> list[str]:
    """Why data written with `writer` cannot be read with `reader`, each with its place; empty if it can.

    Stricter than Avro in one point: a field may not lose its default, which the next reader would miss.
    """
    return list(_Check(reader, writer).compare(reader, writer, ""))


class _Check:
    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader_names = dict(_named(reader))
        self._writer_names = dict(_named(writer))
        self._seen: set[tuple[str, str]] = set()

    def compare(self, reader: Schema, writer: Schema, place: str) -> Iterator[str]:
        reader, writer = self._reader_names.get(_key(reader), reader), self._writer_names.get(_key(writer), writer)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.compare(reader, branch, place)
            return
        if isinstance(reader, list):
            if not any(not list(self.compare(branch, writer, place)) for branch in reader):
                yield f"{place or 'schema'}: {_type(writer)} is no longer in the union"
            return
        written, read = _type(writer), _type(reader)
        if written != read:
            if read not in PROMOTIONS.get(written, ()):
                yield f"{place or 'schema'}: was {written}, is {read}"
        elif read == "record":
            yield from self._records(reader, writer, place)
        elif read == "array":
            yield from self.compare(reader["items"], writer["items"], f"{place}[]")
        elif read == "map":
            yield from self.compare(reader["values"], writer["values"], f"{place}{{}}")
        elif read == "enum":
            lost = set(writer["symbols"]) - set(reader["symbols"])
            if lost and "default" not in reader:
                yield f"{place}: no longer knows {', '.join(sorted(lost))}"

    def _records(self, reader: Mapping[str, Any], writer: Mapping[str, Any], place: str) -> Iterator[str]:
        pair = (reader["name"], writer["name"])
        if pair in self._seen:
            return
        self._seen.add(pair)
        if pair[0] != pair[1]:
            yield f"{place or 'schema'}: was named {pair[1]}, is {pair[0]}"
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            where = f"{place}.{field['name']}".lstrip(".")
            old = written.get(field["name"])
            if old is None:
                if "default" not in field:
                    yield f"{where}: is new and has no default"
                continue
            if "default" in old and "default" not in field:
                yield f"{where}: had a default and has none"
            yield from self.compare(field["type"], old["type"], where)


def _named(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """All named types inside a schema."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named(branch)
    elif isinstance(schema, Mapping):
        if schema["type"] in {"record", "enum", "fixed"}:
            yield schema["name"], schema
        for part in (schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))):
            yield from _named(part)


def _key(schema: Schema) -> str:
    return schema if isinstance(schema, str) else ""


def _type(schema: Schema) -> str:
    return str(schema["type"]) if isinstance(schema, Mapping) else str(schema)


def released(name: str, folder: Path = FOLDER) -> dict[int, Path]:
    """The released versions of a public schema, in order."""
    found = {
        int(match[1]): path
        for path in (folder / "released").glob(f"{name}.v*.avsc")
        if (match := re.fullmatch(rf"{re.escape(name)}\.v(\d+)\.avsc", path.name))
    }
    return dict(sorted(found.items()))


def check(folder: Path = FOLDER) -> list[str]:
    """Everything wrong with the public schemas of a folder, a line each."""
    problems: list[str] = []
    for path in sorted(folder.glob("*.avsc")):
        current = json.loads(path.read_text(encoding="utf-8"))
        versions = released(path.stem, folder)
        if not versions:
            problems.append(f"{path.stem}: no released version; copy it to {folder.name}/released/{path.stem}.v1.avsc")
            continue
        for number, old in versions.items():
            why = incompatibilities(current, json.loads(old.read_text(encoding="utf-8")))
            problems += [f"{path.stem}: cannot read version {number}: {reason}" for reason in why]
        newest = max(versions)
        if json.loads(versions[newest].read_text(encoding="utf-8")) != current:
            problems.append(f"{path.stem}: differs from version {newest}; release it as {path.stem}.v{newest + 1}.avsc")
    return problems


if __name__ == "__main__":
    found = check()
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.exit(1 if found else 0)
