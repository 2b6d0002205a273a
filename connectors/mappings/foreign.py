"""Names what the bytes of a message are, where they are not what the mapping says."""

from __future__ import annotations

import re

from streams.engine.contract import RejectedError

_MAGIC = 0
_HEADER = 5  # magic byte and schema id, as Confluent's serializers write them
_LONG_HEADER = 9  # the same with an id of eight bytes

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\xffsNaPpY": "snappy",
    b"\x82SNAPPY": "snappy",
    b"\x78\x01": "zlib",
    b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
    b"PK\x03\x04": "zip",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"
_TEXT = re.compile(rb"\s*[{\[\"]")
_TEXT16 = re.compile(rb"(?:\x00[\s{\[\"]|[\s{\[\"]\x00)")
_XML = re.compile(rb"\s*<[?!A-Za-z]")


def foreign(data: bytes) -> str:
    """What else the bytes are, and what to do; empty where they look like nothing that is known. Never quotes them."""
    if not data:
        return "no bytes at all: an empty text where a tombstone has no value"
    for start, name in _COMPRESSED.items():
        if data.startswith(start):
            return f"compressed by the source itself ({name}): let the producer compress instead (compression.type)"
    if data.startswith(_UTF16) or _TEXT16.match(data):
        return "text in UTF-16: have the source write UTF-8"
    if data.startswith(b"Obj\x01"):
        return "an Avro object container file, with its schema inside: have the source write the Confluent wire format"
    if _XML.match(data.removeprefix(_BOM)):
        return "XML, which is not supported"
    if data[0] == 3 and len(data) > 17 and data[1] in (0, 5):
        return "in the format of AWS Glue's schema registry: use a serializer of Confluent's wire format"
    if data.startswith(b"\xac\xed\x00\x05"):
        return "a serialized Java object: have the source write JSON or Avro"
    return ""


def long_id(data: bytes) -> bool:
    """Whether it begins as Apicurio's serializers frame it: magic byte and an id of eight bytes."""
    return len(data) > _LONG_HEADER and data[0] == _MAGIC and not any(data[1:_HEADER]) and any(data[_HEADER:_LONG_HEADER])


LONG_ID = (
    "in Apicurio's own framing, with a schema id of eight bytes: set apicurio.registry.as-confluent"
    " (or id-handler Legacy4ByteIdHandler) in the serializer"
)


def not_json(data: bytes) -> RejectedError:
    """The refusal of what is not JSON."""
    return RejectedError("malformed-json", foreign(data) or _why_no_json(data))


def _why_no_json(data: bytes) -> str:
    if data[0] == _MAGIC and len(data) > _HEADER:
        return (
            LONG_ID
            if long_id(data)
            else "in the Confluent wire format, and no JSON behind its schema id: Avro needs format: avro, Protobuf is not"
            " supported"
        )
    if data.endswith(b"\0"):
        return "JSON with NUL bytes behind it" if _TEXT.match(data) else "binary"
    try:
        data.decode()
    except UnicodeDecodeError:
        if _TEXT.match(data):
            return "not JSON in UTF-8: some bytes are of another encoding (such as ISO-8859-1)"
        return "not JSON in UTF-8 but binary: Protobuf, or Avro without its schema id, or another format"
    return "not JSON in UTF-8: cut short, or of another format"


def not_avro(data: bytes) -> RejectedError:
    """The refusal of what does not begin as the wire format does."""
    known = foreign(data)
    if not known and _TEXT.match(data.removeprefix(_BOM)):
        known = "JSON, not Avro: the mapping's format would be json (debezium for its envelope)"
    if not known and long_id(data):
        known = LONG_ID
    return RejectedError(
        "malformed-avro",
        known
        or "does not begin with the Confluent wire format's magic byte and schema id, nor is the schema named in a header"
        " (__value_schema_id): Avro alone cannot be read, and Protobuf is not supported",
    )
