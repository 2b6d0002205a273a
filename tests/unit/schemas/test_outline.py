"""The outline of a change says what the whole change says."""

from __future__ import annotations

import io
import json

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.public import CHANGE_SCHEMA, PublicCodec, PublicFormatError, parse
from schemas.registry import UnknownSchemaError
from schemas.view import AttributeChange, CustomerChange
from tests.unit.schemas.test_public import CODEC, Registry, changes

CHANGE = CustomerChange(
    event_id="c1:2",
    event_type="CustomerStateChangeEvent",
    customer_id="c1",
    realm="north",
    version=2,
    status="active",
    event_time=1,
    processing_time=2,
    rules_version="1",
    changes=(AttributeChange(attribute="status", before='"active"', after='"closed"'),),
)
HEADER = CODEC.encode_change(CHANGE)[:5]


@settings(max_examples=60, deadline=None)
@given(changes)
def test_the_outline_of_a_change_is_of_that_change(change: CustomerChange) -> None:
    outline = CODEC.outline_change(CODEC.encode_change(change))
    assert (outline.event_type, outline.realm) == (change.event_type, change.realm)
    assert [part.attribute for part in outline.parts] == [each.attribute for each in change.changes]
    assert tuple(CODEC.decode_part(part) for part in outline.parts) == change.changes
    assert [CODEC.encode_part(each) for each in change.changes] == outline.parts


@settings(max_examples=60, deadline=None)
@given(changes, st.data())
def test_a_change_with_some_of_its_parts_is_as_if_encoded_so(change: CustomerChange, draw: st.DataObject) -> None:
    outline = CODEC.outline_change(CODEC.encode_change(change))
    kept = [draw.draw(st.booleans()) for _ in change.changes]
    parts = [part for part, keep in zip(outline.parts, kept, strict=True) if keep]
    expected = tuple(each for each, keep in zip(change.changes, kept, strict=True) if keep)
    assert outline.only(parts) == CODEC.encode_change(msgspec.structs.replace(change, changes=expected))


def test_a_change_of_an_older_schema_is_outlined_too() -> None:
    older = json.loads(CHANGE_SCHEMA)
    older["fields"] = [field for field in older["fields"] if field["name"] != "split_to"]
    registry = Registry()
    codec = PublicCodec(registry)
    schema_id = registry.register("older", json.dumps(older))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(json.dumps(older)), msgspec.to_builtins(CHANGE))
    outline = codec.outline_change(b"\0" + schema_id.to_bytes(4, "big") + out.getvalue())
    assert [part.attribute for part in outline.parts] == ["status"]
    assert codec.decode_change(outline.only([])).changes == ()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_lead_to_another_error(data: bytes) -> None:
    try:
        CODEC.outline_change(HEADER + data)
    except PublicFormatError as error:
        assert len(str(error)) < 200  # noqa: PT017  (either outcome is right, no other error is)


@settings(max_examples=40, deadline=None)
@given(changes, st.data())
def test_a_change_that_is_cut_off_is_refused(change: CustomerChange, draw: st.DataObject) -> None:
    data = CODEC.encode_change(change)
    with pytest.raises(PublicFormatError, match="CustomerChange"):
        CODEC.outline_change(data[: draw.draw(st.integers(5, len(data) - 1))])


def test_an_unknown_schema_is_the_registrys_error() -> None:
    with pytest.raises(UnknownSchemaError):
        CODEC.outline_change(b"\0\0\0\x01\0rest")
