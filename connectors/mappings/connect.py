"""What Kafka Connect's JSON converter writes with schemas enabled: `{"schema": ..., "payload": ...}`."""

from __future__ import annotations

from typing import NamedTuple

from connectors.mappings.wrapped import number

DECIMAL = "org.apache.kafka.connect.data.Decimal"
_DEEPEST = 20  # levels of a schema that are looked at


class Opened(NamedTuple):
    """A document without its wrapping."""

    payload: object
    schema: str = ""  # its name
    typed: bool = False  # a schema came with it: every column is there, be it null


def open_payload(document: object) -> Opened:
    """The payload, decimals in it as text; a document that is not wrapped, as it is. Raises UnfitError."""
    if not isinstance(document, dict) or document.keys() != {"schema", "payload"}:
        return Opened(document)
    schema, value = document["schema"], document["payload"]
    if not isinstance(schema, dict):
        return Opened(value)
    name = schema.get("name")
    return Opened(_typed(value, schema, _DEEPEST), name if isinstance(name, str) else "", typed=True)


def _typed(value: object, schema: object, levels: int) -> object:
    """The value with what the schema calls decimals as text: the converter writes them as the base64 of their digits."""
    if not isinstance(schema, dict) or value is None or not levels:
        return value
    kind = schema.get("type")
    if kind == "bytes" and schema.get("name") == DECIMAL:
        parameters = schema.get("parameters")
        scale = parameters.get("scale") if isinstance(parameters, dict) else None
        return number(value, int(scale)) if isinstance(scale, str) and scale.lstrip("-").isdecimal() else value
    if kind == "struct" and isinstance(value, dict):
        return _struct(value, schema.get("fields"), levels - 1)
    if kind == "array" and isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_typed(item, schema["items"], levels - 1) for item in value]
    return value


def _struct(value: dict[str, object], fields: object, levels: int) -> dict[str, object]:
    changed = {}
    for field in fields if isinstance(fields, list) else ():
        name = field.get("field") if isinstance(field, dict) else None
        if isinstance(name, str) and name in value:
            inner = _typed(value[name], field, levels)
            if inner is not value[name]:
                changed[name] = inner
    return value | changed if changed else value
