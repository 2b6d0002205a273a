"""Numbers that Kafka Connect's JSON converter wrote as base64: they look like text, and differ from the number elsewhere.

`decimal.handling.mode: precise`, Debezium's default, writes a NUMERIC column so. With its schema in the message, the number
is read. Without, nothing in the message tells it from text: so what identifies is refused if it looks so, and the mapping
says how it is to be read.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from connectors.mappings.model import MappingDocument, Value
from connectors.mappings.unfit import UnfitError

_MOST_BYTES = 16  # 38 digits, as many as databases keep
_PADDED = re.compile(r"[A-Za-z0-9+/]{2,22}={1,2}", re.ASCII)
_WORD = re.compile(r"[A-Z]*|[A-Z]?[a-z]*|(?:Ma?c|De|Di|La|Le|Van)[A-Z][a-z]+|\d*", re.ASCII)
_ALONE = re.compile(r"[A-Za-z0-9+/]{4,24}={0,2}", re.ASCII)


def looks_encoded(text: str) -> bool:
    """Whether it is the base64 of a few bytes that are no text: of a number, most likely.

    One in three numbers has no padding and is not recognised, as it may be a name.
    """
    if text[-1:] != "=" or not _PADDED.fullmatch(text):
        return False
    return _is_number(text)


def _is_number(text: str) -> bool:
    try:
        data = b64decode(text, validate=True)
    except (Error, ValueError):
        return False
    return 0 < len(data) <= _MOST_BYTES and not (data.isascii() and data.decode().isprintable())


def refuse_encoded(text: str) -> None:
    """Raises UnfitError for an identifier that looks so."""
    if text[-1:] == "=" and looks_encoded(text):
        raise UnfitError(
            "bad-value",
            "it looks like a number in base64 (decimal.handling.mode: precise). Set that to string in the connector, or"
            " say transform: {decimal: 0} (its digits behind the point); if it is text, transform: as_is",
        )


def encodable_parts(document: MappingDocument) -> frozenset[str]:
    """`record_id` and the attributes of identifiers whose values are to be looked at: none that is said to be `as_is`."""
    parts: dict[str, list[Value | None]] = {"record_id": [document.record_id]}
    for name, field in (("identifications", "value"), ("accounts", "id"), ("subscriptions", "id")):
        parts[name] = [getattr(element, field) for element in getattr(document.attributes, name, None) or ()]
    return frozenset(
        name for name, values in parts.items() if not any(value and "as_is" in value.transform for value in values)
    )


def suspects(document: object, path: str = "") -> Iterator[str]:
    """The paths of values that look so, for `check`: also those without padding, if they are of mixed letters and digits."""
    if isinstance(document, dict):
        for key, inner in document.items():
            yield from suspects(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(document, str) and (looks_encoded(document) or (_mixed(document) and _is_number(document))):
        yield path


def warnings(document: object, columns: frozenset[str]) -> Iterator[str]:
    """Of the columns of a Debezium event, in JSON without its schema."""
    row = document.get("after") if isinstance(document, dict) else None
    for path in suspects(row):
        if path in columns:
            yield (
                f"path {path} looks like a number in base64, as decimal.handling.mode: precise writes it: have the connector"
                f" send strings, or write {{path: {path}, transform: {{decimal: 0}}}}"
            )


def _mixed(text: str) -> bool:
    """Not as words are written: `AYag`, and neither `John` nor `McDonald`."""
    return len(text) % 4 == 0 and bool(_ALONE.fullmatch(text)) and not _WORD.fullmatch(text)
