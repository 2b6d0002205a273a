"""Writes changes in the schema `avro/customer-change.avsc`, its fields in their order. Tested as `view_writer` is."""

from __future__ import annotations

from schemas.avro_writer import BOOLEAN, ZERO, long, optional_string, string, strings, varint
from schemas.view import AttributeChange, CustomerChange


def encode_change(change: CustomerChange) -> bytes:
    encoded = [
        string(change.event_id),
        string(change.event_type),
        string(change.customer_id),
        string(change.realm),
        long(change.version),
        string(change.status),
        varint(change.event_time),
        varint(change.processing_time),
        string(change.rules_version),
    ]
    if change.causes:
        encoded.append(long(len(change.causes)))
        for cause in change.causes:
            encoded += string(cause.ref), varint(cause.time)
    encoded += ZERO, long(change.cause_count)
    if change.changes:
        encoded += long(len(change.changes)), *[encode_part(part) for part in change.changes]
    encoded += (
        ZERO,
        strings(change.absorbed),
        optional_string(change.merged_into),
        optional_string(change.split_from),
        strings(change.split_to),
        BOOLEAN[change.cut],
    )
    return b"".join(encoded)


def encode_part(part: AttributeChange) -> bytes:
    """The change of one attribute, as it stands in a `CustomerChange`."""
    return string(part.attribute) + optional_string(part.before) + optional_string(part.after) + BOOLEAN[part.cut]
