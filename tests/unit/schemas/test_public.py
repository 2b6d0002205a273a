"""The public codec: Confluent's wire format, Avro any consumer can read."""

from __future__ import annotations

import io
import json
from typing import Any, get_args, get_type_hints

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import LIST_ATTRIBUTES, Address, Name, Part
from schemas.public import CHANGE_SCHEMA, VIEW_SCHEMA, PublicCodec, PublicFormatError, parse
from schemas.registry import UnknownSchemaError
from schemas.view import (
    AttributeChange,
    CauseRef,
    CustomerChange,
    CustomerView,
    Provenance,
    Sourced,
    ViewAttributes,
)


class Registry:
    """Numbers schemas in the order they come."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.subjects: dict[str, str] = {}

    def register(self, subject: str, schema: str) -> int:
        self.subjects[subject] = schema
        if schema not in self.schemas:
            self.schemas.append(schema)
        return 100 + self.schemas.index(schema)

    def schema(self, schema_id: int) -> str:
        if not 0 <= schema_id - 100 < len(self.schemas):
            raise UnknownSchemaError(f"no schema {schema_id}")
        return self.schemas[schema_id - 100]


CODEC = PublicCodec(Registry())

text = st.text(max_size=80) | st.sampled_from(["", "x" * 63, "x" * 64, "ß" * 40, "é"])
number = st.integers(-(2**63), 2**63 - 1)
size = st.integers(-(2**31), 2**31 - 1)
provenance = st.builds(
    Provenance, record=text, time=number, rule=text, count=size, also=st.lists(text, max_size=2).map(tuple)
)


def sourced(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Sourced[Any]]:
    return st.builds(Sourced, value, provenance)


def many(value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(value, max_size=2).map(tuple)


def part(of: type[Part]) -> st.SearchStrategy[Part]:
    """Any of this type: no field is left out."""
    kinds = {str: text, bool: st.booleans()}
    return st.builds(of, **{name: kinds[kind] for name, kind in get_type_hints(of).items()})


some = st.none() | sourced(text)
attributes = st.builds(
    ViewAttributes,
    kind=some,
    status=some,
    name=st.none() | sourced(part(Name)),
    birth_date=some,
    gender=some,
    address=st.none() | sourced(part(Address)),
    characteristics=st.dictionaries(text, sourced(text), max_size=2),
    totals=st.dictionaries(text, size, max_size=2),
    **{name: many(sourced(part(element))) for name, element in LIST_ATTRIBUTES.items()},
)
views = st.builds(
    CustomerView,
    customer_id=text,
    realm=text,
    version=number,
    status=st.sampled_from(["active", "merged", "deleted"]),
    attributes=attributes,
    members=many(text),
    member_count=size,
    aliases=many(text),
    merged_into=st.none() | text,
    rules_version=text,
    event_time=number,
    processed_at=number,
    cut=many(text),
)
changes = st.builds(
    CustomerChange,
    event_id=text,
    event_type=st.sampled_from(["CustomerCreateEvent", "CustomerMergeEvent"]),
    customer_id=text,
    realm=text,
    version=number,
    status=st.just("active"),
    event_time=number,
    processing_time=number,
    rules_version=text,
    causes=many(st.builds(CauseRef, ref=text, time=number)),
    cause_count=size,
    changes=many(
        st.builds(AttributeChange, attribute=text, before=st.none() | text, after=st.none() | text, cut=st.booleans())
    ),
    absorbed=many(text),
    merged_into=st.none() | text,
    split_from=st.none() | text,
    split_to=many(text),
    cut=st.booleans(),
)

VIEW = CustomerView(
    customer_id="c1",
    realm="north",
    version=1,
    status="active",
    rules_version="1+ab",
    event_time=1_700_000_000_000,
    processed_at=5,
)


def by_fastavro(value: Any, schema: str) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(schema), msgspec.to_builtins(value))
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(views)
def test_a_view_reads_back_as_it_was(view: CustomerView) -> None:
    assert CODEC.decode_view(CODEC.encode_view(view)) == view


@settings(max_examples=60, deadline=None)
@given(views, changes)
def test_the_bytes_are_those_an_independent_writer_makes(view: CustomerView, change: CustomerChange) -> None:
    assert CODEC.encode_view(view)[5:] == by_fastavro(view, VIEW_SCHEMA)
    assert CODEC.encode_change(change)[5:] == by_fastavro(change, CHANGE_SCHEMA)


@pytest.mark.parametrize("ending", ["", "é", "x" * 64])
@pytest.mark.parametrize("attribute", LIST_ATTRIBUTES)
def test_every_field_of_an_element_has_its_place(attribute: str, ending: str) -> None:
    of = LIST_ATTRIBUTES[attribute]
    element = of(**{name: name + ending if kind is str else True for name, kind in get_type_hints(of).items()})
    found = Sourced(element, Provenance(record="north/crm/1", time=1, rule="union", count=3, also=("a", "b")))
    best = {"names": "name", "addresses": "address"}
    stated: dict[str, Any] = {attribute: (found, found)} | ({best[attribute]: found} if attribute in best else {})
    view = msgspec.structs.replace(VIEW, attributes=ViewAttributes(**stated))
    assert CODEC.encode_view(view)[5:] == by_fastavro(view, VIEW_SCHEMA)


@settings(max_examples=60, deadline=None)
@given(changes)
def test_a_change_reads_back_as_it_was(change: CustomerChange) -> None:
    assert CODEC.decode_change(CODEC.encode_change(change)) == change


def test_a_consumer_with_only_the_registry_reads_it() -> None:
    registry = Registry()
    data = PublicCodec(registry).encode_view(VIEW)
    assert data[0] == 0
    schema = fastavro.parse_schema(json.loads(registry.schema(int.from_bytes(data[1:5], "big"))))
    read: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    assert read["customer_id"] == "c1"
    assert read["event_time"].year == 2023


def test_schemas_are_registered_under_the_topics_names_with_prefix() -> None:
    registry = Registry()
    PublicCodec(registry, prefix="dev.", subscribers=["warehouse"])
    assert set(registry.subjects) == {"dev.customer-view-value", "dev.customer-changes-value", "dev.notify.warehouse-value"}


def test_data_of_an_older_schema_is_read_with_its_defaults() -> None:
    older = json.loads(VIEW_SCHEMA)
    older["fields"] = [field for field in older["fields"] if field["name"] != "aliases"]
    registry = Registry()
    codec = PublicCodec(registry)
    schema_id = registry.register("older", json.dumps(older))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(json.dumps(older)), msgspec.to_builtins(VIEW) | {"attributes": {}})
    data = b"\0" + schema_id.to_bytes(4, "big") + out.getvalue()
    assert codec.decode_view(data) == VIEW


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0", b"{}", b"\1\0\0\0\x64", b"\0\0\0\0\x64", b"\0\0\0\0\x64\x09garbage", b"\0\0\0\0\x64\xff\xff\xff\xff"],
)
def test_bytes_that_are_no_view_are_refused(data: bytes) -> None:
    with pytest.raises(PublicFormatError, match="CustomerView"):
        CODEC.decode_view(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_lead_to_another_error(data: bytes) -> None:
    try:
        CODEC.decode_view(b"\0\0\0\0\x64" + data)
    except PublicFormatError as error:
        assert len(str(error)) < 200  # noqa: PT017  (either outcome is right, no other error is)


def test_an_unknown_schema_is_the_registrys_error() -> None:
    with pytest.raises(UnknownSchemaError):
        CODEC.decode_view(b"\0\0\0\x01\0rest")


def _fields(schema: Any) -> list[tuple[str, set[str]]]:
    """Name and field names of every record in a schema."""
    found: list[tuple[str, set[str]]] = []
    if isinstance(schema, list):
        for branch in schema:
            found += _fields(branch)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            found.append((schema["name"], {field["name"] for field in schema["fields"]}))
        for part in (schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))):
            found += _fields(part)
    return found


def _structs(of: Any) -> set[type]:
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return {of}.union(*(_structs(hint) for hint in get_type_hints(of).values()))
    origin = getattr(of, "__origin__", None)
    return set().union(*map(_structs, get_args(of)), _structs(origin) if origin else set())


@pytest.mark.parametrize(("schema", "top"), [(VIEW_SCHEMA, CustomerView), (CHANGE_SCHEMA, CustomerChange)])
def test_the_schema_has_every_field_the_code_has(schema: str, top: type) -> None:
    names = {"CustomerAttributes": "ViewAttributes", "Cause": "CauseRef"}
    structs = {struct.__name__: {field.name for field in msgspec.structs.fields(struct)} for struct in _structs(top)}
    for name, fields in _fields(json.loads(schema)):
        generic = "Sourced" if name.startswith("Sourced") else names.get(name, name)
        assert fields == structs.pop(generic, fields if generic == "Sourced" else set()), name
    assert set(structs) <= {"Sourced"}
