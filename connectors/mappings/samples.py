"""Files of sample messages, for `singleview check`.

A JSON file holds one event. A JSONL file holds one event a line; an empty line is a tombstone. A line may also be a whole
message: an object of `value` and at least one of `key`, `headers`, `topic`, `partition`, `offset`, `timestamp`, and nothing
else but a `note`. `value_base64` and `key_base64` stand for bytes, such as Avro. Any other file is the bytes of one value.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.mappings.model import MappingDocument
from connectors.mappings.paths import parse_path
from connectors.mappings.unfound import places
from streams.engine.contract import Headers, Message

_VALUES = frozenset({"value", "value_base64"})
_AROUND = frozenset({"key", "key_base64", "headers", "topic", "partition", "offset", "timestamp"})


def reads_key_or_value(document: MappingDocument) -> bool:
    """Whether fields `key` or `value` of an event are read from its top: then a line with such fields is an event."""
    moved = document.root is not None or document.split is not None
    for where, path in places(document):
        start, steps = parse_path(path)
        of_item = where.startswith("attributes.") and (moved or _is_inside_each(document, where))
        if start != "message" and steps and steps[0] in {"key", "value"} and (start == "event" or not of_item):
            return True
    return False


def _is_inside_each(document: MappingDocument, where: str) -> bool:
    """Whether a path starts at the items of a list."""
    part: Any = document.model_dump()
    for step in where.split("."):
        if isinstance(part, dict) and part.get("each") is not None:
            return True
        part = part[int(step)] if isinstance(part, list | tuple) else part.get(step) if isinstance(part, dict) else None
    return False


def messages(sample: Path, *, lines_are_events: bool = False) -> Iterator[tuple[str, Message]]:
    """The messages of a file, each with its place in it. Raises OSError."""
    if sample.suffix != ".jsonl":
        yield str(sample), _message(0, {}, sample.read_bytes())
        return
    with sample.open("rb") as lines:
        for offset, line in enumerate(lines):
            text = line.strip()
            around = None if lines_are_events else _around(text)
            message = _message(offset, {}, text or None) if around is None else _message(offset, around, _value(around))
            yield f"{sample}:{offset + 1}", message


def _around(line: bytes) -> dict[str, Any] | None:
    """The message that a line describes; None for one that is an event, or not JSON, for the reader to reject."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not document.keys() & _VALUES or not document.keys() & _AROUND:
        return None
    return document if document.keys() <= _VALUES | _AROUND | {"note"} else None


def _value(around: dict[str, Any]) -> bytes | None:
    return _bytes(around, "value")


def _bytes(around: dict[str, Any], part: str) -> bytes | None:
    encoded = around.get(f"{part}_base64")
    if isinstance(encoded, str):
        try:
            return b64decode(encoded, validate=True)
        except (Error, ValueError):
            return encoded.encode()
    given = around.get(part)
    return given.encode() if isinstance(given, str) else None if given is None else json.dumps(given).encode()


def _message(offset: int, around: dict[str, Any], value: bytes | None) -> Message:
    def number(part: str, otherwise: int) -> int:
        given = around.get(part)
        return given if type(given) is int else otherwise

    topic = around.get("topic")
    return Message(
        topic if isinstance(topic, str) else "sample",
        number("partition", 0),
        number("offset", offset),
        _bytes(around, "key"),
        value,
        _headers(around.get("headers")),
        number("timestamp", 0),
    )


def _headers(given: object) -> Headers:
    if not isinstance(given, dict):
        return ()
    return tuple((str(name), None if value is None else str(value).encode()) for name, value in given.items())
