"""JSON from bytes, in all the ways sources frame it."""

from __future__ import annotations

import re

import msgspec

from connectors.mappings.foreign import not_json
from streams.engine.contract import RejectedError

_BOM = b"\xef\xbb\xbf"
_HEADER = 5  # of Confluent's JSON Schema serializer: magic byte and schema id
_CONSTANTS = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b', re.DOTALL)

_read = msgspec.json.Decoder().decode


def read_json(data: bytes) -> object:
    """The document in JSON bytes: also behind a byte order mark or a schema id, and with NaN or Infinity, which are null.

    Raises RejectedError("malformed-json"), which names what the bytes are instead, and never quotes them.
    """
    try:
        return _read(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    inner = data.removeprefix(_BOM)
    if data[:1] == b"\0" and data[_HEADER : _HEADER + 1] in (b"{", b"[", b'"', b" ", b"\n"):
        inner = data[_HEADER:]
    if inner.lstrip()[:1] in (b"{", b"[") and (b"NaN" in inner or b"Infinity" in inner):
        inner = _CONSTANTS.sub(lambda found: found[0] if found[0].startswith(b'"') else b"null", inner)
    try:
        return _read(inner)
    except RecursionError:
        raise RejectedError("malformed-json", "nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError):
        # Not the decoder's own words: they may quote the data.
        raise not_json(data) from None
