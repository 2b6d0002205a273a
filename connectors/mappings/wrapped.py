"""Values that come wrapped in their type: bytes, Debezium's decimals, MongoDB's Extended JSON."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from decimal import Decimal

from connectors.mappings.unfit import UnfitError

MAX_DIGITS_BYTES = 32
"""Of an unscaled number: 77 digits, as many as integers of an event may have."""

MAX_SCALE = 99

_EXTENDED = frozenset({"$oid", "$date", "$numberLong", "$numberInt", "$numberDecimal", "$numberDouble", "$uuid", "$symbol"})


def unwrapped(value: object) -> object:
    """The scalar inside a wrapped value: of bytes their base64, as Kafka Connect writes them in JSON; others as they are.

    `{"scale": 2, "value": "BNI="}` is Debezium's VariableScaleDecimal, `{"$oid": "5f7f..."}` MongoDB's Extended JSON.
    """
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _EXTENDED:
        return unwrapped(value[name])
    if value.keys() == {"scale", "value"} and type(value["scale"]) is int:
        return number(value["value"], value["scale"])
    return value


def number(unscaled: object, scale: int) -> str:
    """A decimal such as `12.50` from the big-endian two's complement of its digits, as bytes or in base64.

    Raises UnfitError.
    """
    data = _decoded(unscaled)
    if not 0 < len(data) <= MAX_DIGITS_BYTES or abs(scale) > MAX_SCALE:
        raise UnfitError("bad-value", "the base64 of a decimal's digits was expected")
    digits = int.from_bytes(data, "big", signed=True)
    return format(Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -scale)), "f")


def hexadecimal(text: str) -> str:
    """The bytes of a base64 text in hexadecimal, as databases show binary keys. Raises UnfitError."""
    data = _decoded(text)
    if not data:
        raise UnfitError("bad-value", "base64 was expected")
    return data.hex()


def _decoded(given: object) -> bytes:
    """Bytes, or those of a base64 text; none if it is neither."""
    if isinstance(given, bytes):
        return given
    try:
        return b64decode(given, validate=True) if isinstance(given, str) else b""
    except (Error, ValueError):
        return b""
