"""Avro schemas that use named types of other subjects, made whole: each type is written out where it first stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMED = frozenset({"record", "error", "enum", "fixed"})


def self_contained(schema: object, types: Mapping[str, object]) -> object:
    """A parsed schema with the definitions of `types` (by full name) in place of their first uses."""
    return _Inlining(types).of(schema, "")


class _Inlining:
    def __init__(self, types: Mapping[str, object]) -> None:
        self._types = types
        self._known: set[str] = set()  # full names that are defined before

    def of(self, schema: object, namespace: str) -> object:
        if isinstance(schema, str):
            return self._named(schema, namespace)
        if isinstance(schema, list):
            return [self.of(branch, namespace) for branch in schema]
        return self._complex(schema, namespace) if isinstance(schema, dict) else schema

    def _named(self, name: str, namespace: str) -> object:
        for full in (_full_name(name, namespace), name):
            if full in self._types and full not in self._known:
                definition: Any = self._types[full]
                if isinstance(definition, dict) and "." not in str(definition.get("name", "")):
                    definition = {"namespace": "", **definition}  # else it would take that of what is around it
                return self.of(definition, "")
        return name

    def _complex(self, schema: dict[str, Any], namespace: str) -> dict[str, Any]:
        whole = dict(schema)
        if schema.get("type") in NAMED:
            full = _full_name(str(schema.get("name", "")), str(schema.get("namespace", namespace)))
            self._known.add(full)
            namespace = full.rpartition(".")[0]
            if isinstance(schema.get("fields"), list):
                whole["fields"] = [field | {"type": self.of(field["type"], namespace)} for field in schema["fields"]]
            return whole
        for part in ("type", "items", "values"):
            if part in schema:
                whole[part] = self.of(schema[part], namespace)
        return whole


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"
