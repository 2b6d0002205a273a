"""A message's key as a document: keys are often written by another converter than the values beside them."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

_AVRO_BYTES = 5  # magic byte and schema id
_STRUCT = re.compile(r"Struct\{(.*)\}", re.DOTALL)
_FIELD = re.compile(r"(\w+)=(.*?)(?=,\w+=|\Z)", re.DOTALL)
_JSON = ("{", "[", '"')


def key_document(data: bytes | None, decode: Callable[[bytes], object], *, avro: bool) -> object:
    """A key as what it is: Avro, JSON or text; bytes that are none of these as they are, None without a key.

    `Struct{id=7}` is how Kafka Connect's StringConverter writes the key of a row. A number stays the text it is written
    as, so `007` is not 7. `decode` reads Avro; it raises as it does for values.
    """
    if data is None:
        return None
    if avro and len(data) >= _AVRO_BYTES and data[0] == 0:
        return decode(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    if text.strip() == "null":
        return None
    if text.lstrip().startswith(_JSON):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return text
    struct = _STRUCT.fullmatch(text)
    return dict(_FIELD.findall(struct[1])) if struct else text
