"""Avro schemas that are refused, because a few bytes of a message of theirs can stop the process."""

from __future__ import annotations

from typing import Any


def contains_itself(schema: object, around: frozenset[str] = frozenset()) -> bool:
    """Whether a schema refers to one of the named types it stands inside of.

    A few kilobytes of such a message overflow the C stack of fastavro's reader, and with it the process.
    """
    if isinstance(schema, str):
        return schema in around
    if isinstance(schema, list):
        return any(contains_itself(branch, around) for branch in schema)
    if not isinstance(schema, dict):
        return False
    inside = around | {schema["name"]} if "name" in schema else around
    parts = [field["type"] for field in schema.get("fields", ())] + [
        schema.get(part) for part in ("type", "items", "values")
    ]
    return any(contains_itself(part, inside) for part in parts)


def promises_for_nothing(schema: object) -> bool:
    """Whether a list in it has items of no bytes: then a few bytes promise millions of them, which fastavro makes.

    Of a schema that does not contain itself.
    """
    return _Sizes().lists_nothing(schema)


class _Sizes:
    """Which parts of a schema take no bytes. Named types are known once they have been met."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def lists_nothing(self, schema: object) -> bool:
        if isinstance(schema, list):
            return max((self.lists_nothing(branch) for branch in schema), default=False)  # looks at all: they name types
        if not isinstance(schema, dict):
            return False
        if "name" in schema:
            self._named[schema["name"]] = schema
        parts = [field["type"] for field in schema.get("fields", ())] + [
            schema.get(part) for part in ("type", "values", "items")
        ]
        inner = max(self.lists_nothing(part) for part in parts)
        return inner or (schema.get("type") == "array" and self._is_nothing(schema["items"]))

    def _is_nothing(self, schema: object) -> bool:
        if isinstance(schema, str):
            return schema == "null" or (schema in self._named and self._is_nothing(self._named[schema]))
        if not isinstance(schema, dict):
            return False  # a union says which of its branches follows
        kind = schema.get("type")
        if kind in ("record", "error"):
            return all(self._is_nothing(field["type"]) for field in schema.get("fields", ()))
        if kind == "fixed":
            return schema.get("size") == 0
        return isinstance(kind, str | dict) and kind not in ("array", "map", "enum") and self._is_nothing(kind)
