"""What stands for a value without being one."""

from __future__ import annotations

import io
import json
from base64 import b64encode

import fastavro
import pytest
from msgspec import UNSET

from connectors.mappings import Mapping, SourceReader
from connectors.mappings.encoded import looks_encoded, suspects
from connectors.mappings.reading import Reading
from connectors.mappings.unchanged import UNAVAILABLE, UNCHANGED, Placeholders
from schemas.canonical import Account, Identification, Name
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import HEAD, mapping, named

OTHER = "__toast__"
CODES = list(UNAVAILABLE.encode())
FORMS: list[object] = [
    UNAVAILABLE,
    [UNAVAILABLE],
    b64encode(UNAVAILABLE.encode()).decode(),
    [b64encode(UNAVAILABLE.encode()).decode()],
    UNAVAILABLE.encode().hex(),
    UNAVAILABLE.encode().hex().upper(),
    CODES,
    {UNAVAILABLE: UNAVAILABLE},
    json.dumps({UNAVAILABLE: UNAVAILABLE}),
    json.dumps({UNAVAILABLE: UNAVAILABLE}, separators=(",", ":")),
    json.dumps(UNAVAILABLE),
    "b68a35a7-17ad-35b3-af2a-ae46edb4545a",
]


@pytest.mark.parametrize("form", FORMS)
def test_the_placeholder_is_known_in_every_form(form: object) -> None:
    event = {"id": 1, "row": {"note": form, "tags": ["a", form], "name": "Ada"}}
    marked = Placeholders().mark(event)
    assert marked == {"id": 1, "row": {"note": UNCHANGED, "tags": ["a", UNCHANGED], "name": "Ada"}}
    assert Placeholders().may_be_in(json.dumps(event).encode())
    assert Placeholders().may_be_in(json.dumps(event, separators=(",", ":")).encode())


@pytest.mark.parametrize("kind", ["string", "bytes", {"type": "array", "items": "long"}])
def test_the_placeholder_is_known_in_avro(kind: object) -> None:
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})
    datum = {"a": {"string": UNAVAILABLE, "bytes": UNAVAILABLE.encode()}.get(str(kind), CODES)}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, datum)
    assert Placeholders().may_be_in(out.getvalue())
    assert Placeholders().mark(datum) == {"a": UNCHANGED}


def test_a_connector_may_write_another_text() -> None:
    assert Placeholders([OTHER]).mark([OTHER, UNAVAILABLE, b64encode(OTHER.encode()).decode()]) == [UNCHANGED] * 3
    assert Placeholders().mark({"a": OTHER}) == {"a": OTHER}


def test_other_values_are_left_as_they_are() -> None:
    event = {"a": [1, [], {}, None, True, "x", 1.5, CODES[:-1]], "b": {UNAVAILABLE: "x"}, "c": [UNAVAILABLE, "x"]}
    marked = Placeholders().mark(event)
    assert marked == {**event, "c": [UNCHANGED, "x"]}
    assert Placeholders().mark({"a": event["a"]}) == {"a": event["a"]}
    assert not Placeholders().may_be_in(b'{"id": 1, "name": "Ada", "codes": [95, 96]}')


@pytest.mark.parametrize("text", ["A+w=", "C66mXW3vHA==", "/w==", "AQ=="])
def test_a_number_in_base64_is_recognised_by_its_padding(text: str) -> None:
    assert looks_encoded(text)


@pytest.mark.parametrize(
    "text", ["", "=", "AYag", "Q3VzdG9tZXI6MQ==", "name=value==", "A-w=", "b" * 30 + "==", "1004", "AB123456C"]
)
def test_text_is_not_taken_for_a_number(text: str) -> None:
    assert not looks_encoded(text)


def test_the_paths_of_what_may_be_numbers_in_base64_are_found() -> None:
    row = {
        "id": "A+w=",
        "limit": "AYag",
        "name": "John",
        "other": "McDonald",
        "code": "ABCD",
        "n": 5,
        "inner": {"no": "C66mXW3vHA=="},
    }
    assert list(suspects(row)) == ["id", "limit", "inner.no"]


# -- in events --

DEBEZIUM = """
source: crm
format: debezium
realm: {constant: north}
record_id: id
"""
MAPPED = """names: {given: first, family: last}
phones: {each: phones, value: number}
characteristics: {note: note, vip: tags.vip, first_tag: list.0}
consents: {purpose: {constant: news}, granted: news}"""


def debezium(**row: object) -> dict[str, object]:
    return {"op": "u", "after": {"id": 1, **row}, "source": {"lsn": 100}}


def read(of: Mapping, event: dict[str, object]) -> Reading:
    return SourceReader(of).read(message(json.dumps(event, default=str).encode()))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_from_the_placeholder_stays_as_it_was(form: object) -> None:
    (found,) = read(
        mapping(MAPPED, DEBEZIUM), debezium(first="Ada", phones=form, note=form, tags=form, list=form, news=None)
    ).changes
    assert found.operation == "patch"
    assert named(found.attributes) == {"names": [Name(given="Ada")], "consents": None}


def test_a_flattened_topic_has_the_same_placeholder() -> None:
    event = {"id": "1", "n": 5, "first": "Ada", "note": UNAVAILABLE, "phones": [{"number": UNAVAILABLE}]}
    for of in (mapping(MAPPED), mapping(MAPPED, HEAD.replace("json", "avro"))):
        (found,) = of.changes(message(b""), event)
        assert found.operation == "patch"
        assert found.attributes.names == [Name(given="Ada")]
        assert (found.attributes.phones, found.attributes.characteristics) == (UNSET, {"vip": None, "first_tag": None})


def test_the_mapping_may_name_the_placeholder() -> None:
    of = mapping(MAPPED, f"{DEBEZIUM}unavailable: {OTHER}")
    (found,) = read(of, debezium(first=OTHER, note="x")).changes
    assert (found.operation, found.attributes.names) == ("patch", UNSET)


def test_a_record_whose_key_is_not_said_is_refused() -> None:
    with pytest.raises(RejectedError, match="bad-value: mapping crm, record_id: path id: unchanged"):
        read(mapping(MAPPED, DEBEZIUM), debezium() | {"after": {"id": UNAVAILABLE}})


@pytest.mark.parametrize(
    ("said", "attribute"),
    [
        ({"news": "perhaps"}, "consents"),
        ({"kind": "GOV"}, "kind"),
        ({"note": {"a": 1}}, "characteristics.note"),
        ({"status": "x" * 10_001}, "status"),
    ],
)
def test_one_value_that_cannot_be_read_does_not_cost_the_event(said: dict[str, object], attribute: str) -> None:
    of = mapping(f"{MAPPED}\nkind: kind\nstatus: status", DEBEZIUM)
    reading = read(of, debezium(first="Ada", **said))
    (found,) = reading.changes
    assert found.operation == "patch"
    assert found.attributes.names == [Name(given="Ada")]
    assert [(each.source, each.attribute) for each in reading.unread] == [("crm", attribute)]
    assert "perhaps" not in reading.unread[0].detail
    stays = named(found.attributes).keys() | {f"characteristics.{key}" for key in found.attributes.characteristics or ()}
    assert attribute not in stays


@pytest.mark.parametrize(
    "said", [{"first": {}}, {"phones": [{"number": []}]}, {"born": "1981-02-30"}, {"mail": {"a": 1}}, {"no": [1]}]
)
def test_a_value_that_identifies_costs_the_event(said: dict[str, object]) -> None:
    more = (
        "birth_date: {path: born, transform: date}\nemails: {value: mail}\nidentifications: {type: {constant: x}, value: no}"
    )
    with pytest.raises(RejectedError, match="mapping crm, attribute "):
        read(mapping(f"{MAPPED}\n{more}", DEBEZIUM), debezium(**said))


def test_where_nobody_is_told_what_cannot_be_read_the_event_is_refused() -> None:
    with pytest.raises(RejectedError, match="attribute consents: true or false was expected"):
        mapping(MAPPED).changes(message(b""), {"id": "1", "n": 1, "news": "perhaps"})


IDS = """identifications: {type: {constant: national_id}, value: no}
accounts: {id: account}
characteristics: {limit: limit}"""


@pytest.mark.parametrize("said", [{"id": "A+w="}, {"no": "C66mXW3vHA=="}, {"account": "A+w="}])
def test_a_number_in_base64_is_never_taken_for_an_identifier(said: dict[str, object]) -> None:
    event = debezium() | {"after": {"id": "5", "limit": "AYag", **said}}
    with pytest.raises(RejectedError) as caught:
        read(mapping(IDS, DEBEZIUM), event)
    assert caught.value.reason == "bad-value"
    assert "it looks like a number in base64 (decimal.handling.mode: precise)" in caught.value.detail
    assert "transform: {decimal: 0}" in caught.value.detail
    assert not any(str(value) in caught.value.detail for value in said.values())


def test_the_mapping_says_how_a_number_in_base64_is_to_be_read() -> None:
    head = DEBEZIUM.replace("record_id: id", "record_id: {path: id, transform: {decimal: 0}}")
    declared = IDS.replace("value: no", "value: {path: no, transform: {decimal: 0}}").replace(
        "id: account", "id: {path: account, transform: as_is}"
    )
    (found,) = read(mapping(declared, head), debezium() | {"after": {"id": "A+w=", "no": "A+w=", "account": "A+w="}}).changes
    assert found.record == "north/crm/1004"
    assert found.attributes.identifications == [Identification(type="national_id", value="1004", raw="A+w=")]
    assert found.attributes.accounts == [Account(id="A+w=")]


@pytest.mark.parametrize("filler", ["\0", "\0\0\0", " \x1f ", "\x80\x85", "\ufeff"])
def test_control_characters_alone_are_no_value(filler: str) -> None:
    of = mapping("status: a\nnames: {given: a, prefix: b}\ncharacteristics: {x: a}\nemails: {value: {first: [a, b]}}")
    (found,) = of.changes(message(b""), {"id": "1", "n": 1, "a": filler})
    assert named(found.attributes) == {"status": None, "names": None, "emails": None, "characteristics": {"x": None}}


def test_control_characters_around_a_value_are_no_part_of_it() -> None:
    of = mapping("status: a\nnames: {given: a, prefix: a}\ncharacteristics: {x: {concat: [a, a]}, lines: lines}")
    event = {"id": "1\0\0", "n": 1, "a": "\x1b Ada\0 \0", "lines": "1 High Street\n\tLeeds\u00a0"}
    (found,) = of.changes(message(b""), event)
    assert found.record == "north/test/1"
    assert found.attributes.status == "Ada"
    assert found.attributes.names == [Name(given="Ada", prefix="Ada")]
    assert found.attributes.characteristics == {"x": "Ada Ada", "lines": "1 High Street\n\tLeeds"}


def test_a_date_may_be_a_list_of_numbers() -> None:
    of = mapping("birth_date: {path: born, transform: date}")
    assert of.changes(message(b""), {"id": "1", "n": 1, "born": [1981, 1, 2]})[0].attributes.birth_date == "1981-01-02"
    for born in ([1981, 2, 30], [1, 2], [1981, 1, "2"], [1981, 1, True]):
        with pytest.raises(RejectedError, match="attribute birth_date"):
            of.changes(message(b""), {"id": "1", "n": 1, "born": born})
