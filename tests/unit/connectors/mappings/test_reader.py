from __future__ import annotations

import json
import re
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.mappings import Decoder, SourceReader, load_mapping, shipped_mapping
from schemas.messages import RECORDS, SourceChange
from schemas.registry import RegistryError
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
    with pytest.raises(RejectedError, match=r"tombstone: mapping test: no value, .* have the source send deletes") as caught:
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
    assert reason_of(SourceReader(of), event, b"{") == "malformed-json"
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
