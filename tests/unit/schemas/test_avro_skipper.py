"""The Avro skipper ends where fastavro's values end."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro_skipper import compile_skipper, read_long

INNER = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "string"}, {"name": "n", "type": "int"}]}
KINDS: list[Any] = [
    "string",
    ["null", "string"],
    "boolean",
    "long",
    ["null", INNER],
    {"type": "array", "items": "I"},
    {"type": "map", "values": ["null", "string"]},
    ["null", "long"],
]
SCHEMA = {"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": kind} for n, kind in enumerate(KINDS)]}

text = st.text(max_size=80) | st.sampled_from(["x" * 63, "x" * 64, "é" * 40, "x" * 9_000])
number = st.integers(-(2**63), 2**63 - 1)
inner = st.fixed_dictionaries({"a": text, "n": st.integers(-(2**31), 2**31 - 1)})
values = st.tuples(
    text,
    st.none() | text,
    st.booleans(),
    number,
    st.none() | inner,
    st.lists(inner, max_size=3),
    st.dictionaries(text, st.none() | text, max_size=3),
    st.none() | number,
)


def written(fields: tuple[Any, ...]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), {f"f{n}": value for n, value in enumerate(fields)})
    return out.getvalue()


@settings(deadline=None)
@given(values, st.binary(max_size=4))
def test_a_value_ends_where_fastavro_ends_it(fields: tuple[Any, ...], after: bytes) -> None:
    data = written(fields)
    assert compile_skipper(SCHEMA)(b"##" + data + after, 2) == 2 + len(data)


@settings(deadline=None)
@given(values, st.data())
def test_a_value_that_is_cut_off_is_noticed(fields: tuple[Any, ...], draw: st.DataObject) -> None:
    data = written(fields)
    cut = data[: draw.draw(st.integers(0, len(data) - 1))]
    with contextlib.suppress(IndexError):
        assert compile_skipper(SCHEMA)(cut, 0) > len(cut)


def test_blocks_that_tell_their_size_are_skipped_too() -> None:
    assert compile_skipper({"type": "array", "items": "string"})(b"\x03\x08\x02a\x02b\x00", 0) == 7


@given(number)
def test_numbers_are_read_as_fastavro_writes_them(value: int) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "long"}, value)
    assert read_long(out.getvalue(), 0) == (value, len(out.getvalue()))


@pytest.mark.parametrize("data", [b"\x01", b"\x81\x01"])
def test_a_negative_length_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="negative"):
        compile_skipper("string")(data + b"rest", 0)


@pytest.mark.parametrize("kind", [["null", "string"], ["null", "long"]])
def test_a_branch_that_does_not_exist_is_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="no such branch"):
        compile_skipper(kind)(b"\x04\x00", 0)


@pytest.mark.parametrize("kind", ["double", "Unknown", ["string", "null"], ["null", "string", "long"], {"type": "fixed"}])
def test_a_type_it_does_not_know_is_refused_when_compiling(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot skip|a union must be"):
        compile_skipper(kind)
