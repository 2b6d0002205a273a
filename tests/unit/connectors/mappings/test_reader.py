from __future__ import annotations

import gzip
import json
import re
import zlib
from functools import cache
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.mappings import Decoder, SourceReader, load_mapping, shipped_mapping
from schemas.messages import RECORDS, SourceChange
from schemas.registry import RegistryError, UnknownSchemaError
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import HEAD, DictRegistry, avro, mapping

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "n", "type": "long"},
            {"name": "g", "type": ["null", "string"]},
            {"name": "more", "type": {"type": "array", "items": "double"}, "default": []},
        ],
    }
)
NESTED = json.dumps({"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]})
DATUM: dict[str, object] = {"id": "1", "n": 1, "g": "f", "more": [1.0, 2.0]}
AVRO_HEAD = HEAD.replace("json", "avro")


def reason_of(reader: SourceReader, value: bytes | None, key: bytes | None = None) -> str:
    with pytest.raises(RejectedError) as caught:
        reader(message(value, key))
    return caught.value.reason


def test_json_and_avro_of_one_content_give_one_change() -> None:
    from_json = SourceReader(mapping("gender: g"))(message(json.dumps(DATUM).encode()))
    from_avro = SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: SCHEMA}))(message(avro(SCHEMA, DATUM)))
    assert from_json == from_avro
    assert [change.record for change in from_json] == ["north/test/1"]


@pytest.mark.parametrize("value", [None, b"null"])
@pytest.mark.parametrize("head", [HEAD, AVRO_HEAD])
def test_a_tombstone_is_rejected_where_nothing_tells_what_it_deletes(head: str, value: bytes | None) -> None:
    if head == AVRO_HEAD and value is not None:
        value = avro('{"type": "null"}', None)
    reader = SourceReader(mapping("gender: g", head), DictRegistry({1: '{"type": "null"}'}))
    with pytest.raises(
        RejectedError, match=r"tombstone: mapping test: no value. If the source deletes so, say tombstones: delete"
    ) as caught:
        reader(message(value, b"K-4711"))
    assert "4711" not in str(caught.value)


def test_a_tombstone_of_debezium_says_nothing_new() -> None:
    assert SourceReader(mapping("gender: g", HEAD.replace("json", "debezium")))(message(None, b'{"id":1}')) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"id":"1"',
        b"\xff\xfe",
        b'{"id":"\xff"}',
        b"{} {}",
        b'"\\ud800"',
        b"1" * 5000,
        b"1e999",
        b"[" * 100_000,
        b"NaN",
    ],
)
def test_bytes_that_are_no_json_are_malformed(data: bytes) -> None:
    assert reason_of(SourceReader(mapping("gender: g")), data) == "malformed-json"


EVENT = b'{"id": "1", "n": 1, "g": "f"}'


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + EVENT,
        b"\0\0\0\0\x0c" + EVENT,  # Confluent's JSON Schema serializer
        b"\0\0\0\0{" + EVENT,
        EVENT + b"\n",
        EVENT.replace(b"}", b', "x": NaN, "y": [-Infinity, Infinity], "z": "NaN \\" Infinity"}'),
    ],
)
def test_json_is_read_however_it_is_framed(data: bytes) -> None:
    (found,) = SourceReader(mapping("gender: g"))(message(data))
    assert (found.record, found.attributes.gender) == ("north/test/1", "f")


def test_what_json_has_no_number_for_is_null() -> None:
    assert Decoder("json").value(message(b'{"x": NaN, "y": "NaN", "z": [1, -Infinity]}')) == {
        "x": None,
        "y": "NaN",
        "z": [1, None],
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (EVENT.decode().encode("utf-16"), "UTF-16"),
        (EVENT.decode().encode("utf-16-le"), "UTF-16"),
        (EVENT.decode().encode("utf-16-be"), "UTF-16"),
        (EVENT.replace(b"f", b"\xf1"), "another encoding (such as ISO-8859-1)"),
        (gzip.compress(EVENT, mtime=0), "gzip"),
        (zlib.compress(EVENT), "zlib"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 20, "zstd"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (b"\xef\xbb\xbf <customer/>", "XML"),
        (b"Obj\x01\x04\x14avro.codec", "object container"),
        (b"\x03\x00" + b"g" * 16 + EVENT, "AWS Glue"),
        (b"\0\0\0\0\0\0\0\0\x07" + EVENT, "Apicurio"),
        (b"\0\0\0\0\x07\0\x0a\x041004", "Avro needs format: avro, Protobuf is not supported"),
        (b"\x0a\x041004\xff\x12", "binary: Protobuf"),
        (EVENT + b"\0", "NUL"),
        (b"", "no bytes at all"),
        (EVENT[:-2], "cut short"),
    ],
)
def test_what_is_no_json_is_named(data: bytes, says: str) -> None:
    with pytest.raises(RejectedError) as caught:
        SourceReader(mapping("gender: g"))(message(data))
    assert caught.value.reason == "malformed-json"
    assert says in caught.value.detail
    assert caught.value.detail.startswith("the value: ")
    assert "1004" not in caught.value.detail


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (EVENT, "JSON, not Avro: the mapping's format would be json"),
        (b"\x03\x05" + b"g" * 16 + b"\x02", "AWS Glue"),
        (b"\0\0\0\0\0\0\0\0\x07\x02", "Apicurio"),
        (b"Obj\x01\x04\x14avro.codec", "object container"),
        (gzip.compress(EVENT, mtime=0), "gzip"),
        (b"\x081004\x02", "nor is the schema named in a header"),
    ],
)
def test_what_is_no_avro_is_named(data: bytes, says: str) -> None:
    with pytest.raises(RejectedError) as caught:
        SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: SCHEMA}))(message(data))
    assert caught.value.reason == "malformed-avro"
    assert says in caught.value.detail


def test_it_is_said_when_the_key_is_at_fault() -> None:
    of = mapping("gender: g", "source: crm\nformat: debezium-avro\nrealm: {constant: north}\nrecord_id: id")
    schema = json.dumps(
        {
            "type": "record",
            "name": "E",
            "fields": [{"name": "op", "type": "string"}, {"name": "before", "type": ["null", "int"]}],
        }
    )
    with pytest.raises(RejectedError, match="unknown-schema: the key: "):
        SourceReader(of, DictRegistry({1: schema}))(message(avro(schema, {"op": "d", "before": None}), avro('"int"', 5, 9)))


def test_a_schema_of_another_kind_is_named_as_the_registry_names_it() -> None:
    class Json(DictRegistry):
        def schema(self, schema_id: int) -> str:
            raise UnknownSchemaError(f"schema {schema_id} is JSON, not Avro")

    with pytest.raises(RejectedError, match="unknown-schema: the value: schema 1 is JSON, not Avro"):
        SourceReader(mapping("gender: g", AVRO_HEAD), Json())(message(avro(SCHEMA, DATUM)))


GUID = UUID("3e11fa47-71ca-11e1-9e33-c80aa9429562")


def test_avro_is_read_by_the_guid_in_a_header() -> None:
    class WithGuids(DictRegistry):
        def schema_by_guid(self, guid: str) -> str:
            if guid != str(GUID):
                raise UnknownSchemaError("there is none")
            return SCHEMA

    of = mapping("gender: g", AVRO_HEAD)
    headers = (("__value_schema_id", b"\1" + GUID.bytes),)
    (found,) = SourceReader(of, WithGuids())(message(avro(SCHEMA, DATUM)[5:], headers=headers))
    assert found.record == "north/test/1"
    other = (("__value_schema_id", b"\1" + bytes(16)),)
    with pytest.raises(
        RejectedError, match=r"unknown-schema: the value: schema 00000000-.*, which a header names: there is none"
    ):
        SourceReader(of, WithGuids())(message(avro(SCHEMA, DATUM)[5:], headers=other))
    with pytest.raises(RejectedError, match="which this registry does not know"):
        SourceReader(of, DictRegistry())(message(avro(SCHEMA, DATUM)[5:], headers=headers))


EMPTY = {"type": "record", "name": "E", "fields": [{"name": "x", "type": "null"}]}


@pytest.mark.parametrize(
    "items",
    [
        "null",
        EMPTY,
        {"type": "fixed", "name": "F", "size": 0},
        {"type": "record", "name": "G", "fields": []},
        {"type": "null"},
    ],
)
@pytest.mark.parametrize("inside", ["{}", '{{"type": "map", "values": {}}}', '["null", {}]'])
def test_a_list_that_promises_millions_in_a_few_bytes_is_refused(items: object, inside: str) -> None:
    part = inside.format(json.dumps({"type": "array", "items": items}))
    schema = f'{{"type": "record", "name": "R", "fields": [{{"name": "a", "type": {part}}}]}}'
    reader = SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: schema}))
    with pytest.raises(RejectedError, match=r"unknown-schema: .* a list of items without any content"):
        reader(message(b"\0\0\0\0\1" + b"\x80\x80\x80\x10\0"))


def test_a_named_type_without_content_is_known_where_it_is_used_again() -> None:
    fields = [{"name": "e", "type": EMPTY}, {"name": "a", "type": {"type": "array", "items": "E"}}]
    schema = json.dumps({"type": "record", "name": "R", "fields": fields})
    reader = SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: schema}))
    assert reason_of(reader, b"\0\0\0\0\1" + b"\x80\x80\x80\x10\0") == "unknown-schema"


def test_a_decimal_of_any_length_costs_no_time() -> None:
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 3_000_000, "scale": 2}
    schema = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": decimal}]})
    as_bytes = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "bytes"}]})
    reader = SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: schema}))
    assert reason_of(reader, avro(as_bytes, {"a": b"\x7f" * 900_000})) == "malformed-avro"


def test_the_error_of_bad_bytes_does_not_quote_them() -> None:
    with pytest.raises(RejectedError) as caught:
        SourceReader(mapping("gender: g"))(message(b'{"name": "John Smith'))
    assert "John" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed-avro"),
        (b"\0\0\0\0", "malformed-avro"),
        (b"\1\0\0\0\1abc", "malformed-avro"),
        (b"{}", "malformed-avro"),
        (avro(SCHEMA, DATUM)[:-3], "malformed-avro"),
        (avro(SCHEMA, DATUM) + b"x", "malformed-avro"),
        (b"\0\0\0\0\1\x08\xff\xff\xff\xff", "malformed-avro"),
        (b"\0\0\0\0\1\x03", "malformed-avro"),
        (b"\0\0\0\0\2" + b"\2" * 100_000, "unknown-schema"),
        (b"\0\x7f\xff\xff\xff" + b"x" * 9, "unknown-schema"),
        (b"\0\0\0\0\3", "unknown-schema"),
        (b"\0\0\0\0\4", "unknown-schema"),
    ],
)
def test_bytes_that_are_not_of_their_schema_are_rejected(data: bytes, reason: str) -> None:
    registry = DictRegistry({1: SCHEMA, 2: NESTED, 3: '{"type": "nonsense"}', 4: "no json"})
    assert reason_of(SourceReader(mapping("gender: g", AVRO_HEAD), registry), data) == reason


def test_a_schema_is_asked_for_once_and_an_unknown_one_again() -> None:
    registry = DictRegistry()
    reader = SourceReader(mapping("gender: g", AVRO_HEAD), registry)
    assert reason_of(reader, avro(SCHEMA, DATUM)) == "unknown-schema"
    registry.register("r", SCHEMA)
    for _ in range(3):
        assert len(reader(message(avro(SCHEMA, DATUM)))) == 1
    assert registry.asked == 2


def test_a_registry_that_is_away_is_not_the_messages_fault() -> None:
    reader = SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry(reachable=False))
    with pytest.raises(RegistryError, match="away"):
        reader(message(avro(SCHEMA, DATUM)))


def test_avro_without_a_registry_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="the format avro needs a schema registry"):
        SourceReader(mapping("gender: g", AVRO_HEAD))


def test_a_value_or_key_that_is_too_large_is_not_decoded() -> None:
    assert reason_of(SourceReader(mapping("gender: g")), b"x" * 1_000_001) == "too-large"
    decoder = Decoder("json", max_bytes=10)
    assert decoder.value(message(b'"12345678"')) == "12345678"
    with pytest.raises(RejectedError, match="too-large: the key is larger than 10 bytes"):
        decoder.key(message(b"", b" " * 11))


def test_a_debezium_delete_reads_the_key_when_it_must() -> None:
    of = mapping("gender: g", "source: crm\nformat: debezium\nrealm: {constant: north}\nrecord_id: id")
    event = b'{"op":"d","before":null,"source":{"lsn":1}}'
    assert SourceReader(of)(message(event, b'{"id":5}'))[0].record == "north/crm/5"
    assert SourceReader(of)(message(event, b"5"))[0].record == "north/crm/5"
    assert SourceReader(of)(message(event, b"Struct{id=5}"))[0].record == "north/crm/5"
    assert reason_of(SourceReader(of), event, None) == "missing-record-id"


WORDS = re.findall(
    r"\w+",
    """id brand op before after source sequence lsn customer changes customerRef seq patch userId revision at phones emails
    number address birthDate dob subscriberId rev ts msisdn holder born person subscriptions""",
)
SHIPPED = ["crm", "orders", "selfcare", "partner"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["c", "d", "01/02/1985", "+44"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=8,
        )
    ),
    max_leaves=30,
)


@cache
def shipped(name: str) -> SourceReader:
    return SourceReader(load_mapping(shipped_mapping(name)))


@given(
    name=st.sampled_from(SHIPPED), value=st.binary() | JSON.map(lambda value: json.dumps(value).encode()), key=st.binary()
)
@example("crm", b'{"op":"c","after":{"id":1,"brand":"n","dob":"9999999999999999999"},"source":{"lsn":1}}', b"")
@example("partner", b'{"subscriberId":"1","brand":"n","rev":1,"ts":1e300}', b"")
def test_any_bytes_give_changes_or_a_rejection(name: str, value: bytes, key: bytes) -> None:
    check_total(shipped(name), value, key)


WHOLE = {
    "orders": {"customer": {"customerRef": "1", "seq": 1, "brand": "n", "country": "DE", "changes": {}}},
    "selfcare": {"userId": "1", "brand": "n", "country": "GB", "revision": 1, "patch": {}},
    "partner": {"subscriberId": "1", "brand": "n", "rev": 1, "ts": 5},
}


@given(
    name=st.sampled_from(list(WHOLE)),
    more=st.dictionaries(st.sampled_from(["email", "msisdn", "holder", "service"]), JSON),
    inner=JSON,
)
def test_any_content_of_a_whole_event_gives_changes_or_a_rejection(
    name: str, more: dict[str, object], inner: object
) -> None:
    event = json.loads(json.dumps(WHOLE[name])) | more
    if isinstance(inner, dict):
        (event.get("customer") or event).update({"changes": inner, "patch": inner})
    check_total(shipped(name), json.dumps(event).encode(), b"")


@given(st.binary())
def test_any_avro_bytes_give_changes_or_a_rejection(data: bytes) -> None:
    check_total(SourceReader(mapping("gender: g", AVRO_HEAD), DictRegistry({1: SCHEMA})), b"\0\0\0\0\1" + data, b"")


def check_total(reader: SourceReader, value: bytes, key: bytes) -> None:
    """Nothing but changes that can be sent on, or a rejection."""
    try:
        changes = reader(message(value, key))
    except RejectedError:
        return
    for change in changes:
        assert isinstance(change, SourceChange)
        assert RECORDS.decode(RECORDS.encode(change)) == change
