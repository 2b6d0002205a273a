"""The Avro writer refuses what it does not write; what it writes is compared with fastavro in test_public."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro_writer import Compiler, compile_writer, varint


class Value:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def record(*types: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": kind} for n, kind in enumerate(types)]}


@pytest.mark.parametrize(
    "kind", ["double", "bytes", "Unknown", ["string", "null"], ["null", "string", "long"], {"type": "fixed"}]
)
def test_a_type_it_does_not_write_is_refused_when_compiling(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot write|a union must be"):
        compile_writer(record(kind))


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_written_as_avro_does(number: int) -> None:
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, {"type": "long"}, number)
    assert varint(number) == expected.getvalue()


def test_an_empty_value_of_a_nullable_field_is_not_null() -> None:
    out = bytearray()
    compile_writer(record(["null", "string"], ["null", "string"]))(out, Value(f0="", f1=None))
    assert bytes(out) == b"\x02\x00\x00"


def test_one_field_and_no_neighbours_are_written_too() -> None:
    out = bytearray()
    compile_writer(record("string", "long", "string"))(out, Value(f0="a", f1=1, f2="é"))
    assert bytes(out) == b"\x02a\x02\x04" + "é".encode()


def test_a_record_in_a_record_is_written_where_it_stands_by_its_definition_and_by_its_name() -> None:
    out = bytearray()
    inner = {
        "type": "record",
        "name": "I",
        "fields": [
            {"name": "x", "type": "string"},
            {"name": "n", "type": ["null", "string"]},
            {"name": "y", "type": "long"},
        ],
    }
    middle = {"type": "record", "name": "M", "fields": [{"name": "a", "type": "string"}, {"name": "i", "type": inner}]}
    write = compile_writer(record("string", middle, "I", {"type": "array", "items": "M"}))
    one, two = Value(x="a", n=None, y=1), Value(x="b", n="", y=0)
    write(out, Value(f0="s", f1=Value(a="m", i=one), f2=two, f3=[Value(a="", i=two)]))
    assert bytes(out) == b"\x02s\x02m\x02a\x00\x02\x02b\x02\x00\x00\x02\x00\x02b\x02\x00\x00\x00"


@pytest.mark.parametrize("text", ["", "a", "é", "a" * 63, "a" * 64, "é" * 2000])
@pytest.mark.parametrize("granted", [True, False])
def test_strings_and_booleans_are_written_together_as_each_alone(text: str, granted: bool) -> None:
    schema = record("string", "boolean", ["null", "string"])
    plain = record("string", "boolean", "string")
    for each, f2 in ((schema, text), (schema, None), (plain, text)):
        out, expected = bytearray(), io.BytesIO()
        compile_writer(each)(out, Value(f0=text, f1=granted, f2=f2))
        fastavro.schemaless_writer(expected, fastavro.parse_schema(each), {"f0": text, "f1": granted, "f2": f2})
        assert bytes(out) == expected.getvalue()


def test_neighbouring_numbers_are_written_as_each_alone() -> None:
    out = bytearray()
    compile_writer(record("long", "int", "string", "long"))(out, Value(f0=-1, f1=1 << 40, f2="", f3=0))
    assert bytes(out) == varint(-1) + varint(1 << 40) + b"\x00\x00"


def test_a_remembered_record_is_written_as_it_would_be_and_looked_at_once() -> None:
    class Part(NamedTuple):
        x: str
        y: int

        @property
        def n(self) -> str:
            looks.append(self.x)
            return "n"

    looks: list[str] = []
    fields = [{"name": "x", "type": "string"}, {"name": "n", "type": "string"}, {"name": "y", "type": "long"}]
    part = {"type": "record", "name": "P", "fields": fields}
    encode = Compiler(remembered=["P"]).compile(record("string", part, "P"))
    one = encode(Value(f0="s", f1=Part("a", 1), f2=Part("b", 2)))
    two = encode(Value(f0="t", f1=Part("b", 2), f2=Part("a", 1)))
    assert one + two == b"\x02s" + b"\x02a\x02n\x02" + b"\x02b\x02n\x04" + b"\x02t" + b"\x02b\x02n\x04" + b"\x02a\x02n\x02"
    assert looks == ["a", "b"]


def test_a_record_that_contains_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot write"):
        compile_writer(record("string", ["null", "R"]))
