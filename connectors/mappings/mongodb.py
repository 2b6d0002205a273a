"""MongoDB's documents and updates in Debezium's envelope: JSON in texts, changes by field names with dots."""

from __future__ import annotations

from connectors.mappings.paths import PartOfList, opened


def is_mongodb(event: dict[str, object]) -> bool:
    source = event.get("source")
    return isinstance(source, dict) and source.get("connector") == "mongodb"


def document(value: object) -> dict[str, object] | None:
    """A whole document, be it JSON in a text."""
    found = opened(value)
    return found if isinstance(found, dict) else None


def key_row(key: object) -> dict[str, object] | None:
    """What a message's key tells of a document: its `_id`."""
    if not isinstance(key, dict) or "id" not in key:
        return None
    identifier = key["id"]
    found = opened(identifier)
    if found is identifier and isinstance(identifier, str) and identifier[:1] == '"' == identifier[-1:]:
        found = identifier[1:-1]  # a text, as JSON
    return {"_id": found}


def update_row(description: object) -> dict[str, object] | None:
    """The fields an update sets, as nested objects, and those it removes as nulls; None for what is no update.

    Of a list of which it changes or cuts off a part nothing is told: it stands as PartOfList.
    """
    if not isinstance(description, dict):
        return None
    updated = document(description.get("updatedFields")) or {}
    row: dict[str, object] = {}
    for name, value in updated.items():
        _put(row, name.split("."), value)
    for name in _names(description.get("removedFields")):
        _put(row, name.split("."), None)
    for cut in _cut(description.get("truncatedArrays")):
        _put(row, cut.split("."), PartOfList())
    return row


def _put(row: dict[str, object], steps: list[str], value: object) -> None:
    for place, step in enumerate(steps[:-1]):
        if steps[place + 1].isdecimal():
            row[step] = PartOfList()
            return
        inner = row.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        row = inner
    row[steps[-1]] = value


def _names(value: object) -> list[str]:
    found = opened(value)
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _cut(value: object) -> list[str]:
    found = opened(value)
    if not isinstance(found, list):
        return []
    return [cut["field"] for cut in found if isinstance(cut, dict) and isinstance(cut.get("field"), str)]
