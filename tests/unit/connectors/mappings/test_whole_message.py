"""What can be read beside the value's object: key, headers, rows, JSON in texts, wrapped values."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from connectors.mappings import SourceReader
from connectors.mappings.mapping import Mapping
from connectors.mappings.reading import Reading
from schemas.canonical import Email, Name, Phone
from schemas.messages import Order, SourceChange
from streams.engine.contract import Message, RejectedError
from tests.unit.connectors.mappings import support
from tests.unit.connectors.mappings.support import HEAD, DictRegistry, attributes, avro, mapping


def at(
    value: object,
    key: bytes | None = None,
    headers: dict[str, str] | None = None,
    offset: int = 3,
    time: int = 1_700_000_000_000,
) -> Message:
    data = value if isinstance(value, bytes) else None if value is None else json.dumps(value).encode()
    found = tuple((name, text.encode()) for name, text in (headers or {}).items())
    return Message("src", 1, offset, key, data, found, time)


def read(of: Mapping, *given: object, **more: object) -> list[SourceChange]:
    return SourceReader(of)(at(*given, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "key", "record"),
    [
        ("//key", b"1004", "1004"),
        ("//key", b"0001004", "0001004"),
        ("//key", b'"c-7"', "c-7"),
        ("//key.id", b'{"id": 1004}', "1004"),
        ("//key.customer.no", b'{"customer": {"no": "x"}}', "x"),
        ("//key.id", b'{"schema": {"type": "struct"}, "payload": {"id": 9}}', "9"),
        ("//key", b"\xff\xfe", b64encode(b"\xff\xfe").decode()),
    ],
)
def test_a_records_id_can_be_that_of_the_key(path: str, key: bytes, record: str) -> None:
    (change,) = read(mapping("gender: g", HEAD.replace("record_id: id", f"record_id: {path}")), {"n": 1, "g": "f"}, key)
    assert change.record == f"north/test/{record}"


def test_without_a_key_a_record_has_no_id() -> None:
    with pytest.raises(RejectedError, match="missing-record-id"):
        read(mapping("gender: g", HEAD.replace("record_id: id", "record_id: //key")), {"n": 1}, None)


def test_headers_topic_and_place_can_be_read() -> None:
    of = mapping(
        "characteristics: {t: //topic, p: //partition, o: //offset, h: //header.x-trace.id, none: //header.other}",
        HEAD.replace("{constant: north}", "//header.brand").replace(
            "{sequence: n}", "{timestamp: {path: //timestamp, format: epoch_ms}}"
        ),
    )
    (change,) = read(of, {"id": 1}, headers={"brand": "south", "x-trace.id": "q"})
    assert change.record == "south/test/1"
    assert change.order == Order("time", (0, 1_700_000_000_000_000))
    assert change.attributes.characteristics == {"t": "src", "p": "1", "o": "3", "h": "q", "none": None}


def test_the_last_header_of_a_name_counts_and_one_without_a_value_is_null() -> None:
    of = mapping("gender: //header.g\nstatus: {path: //header.s, default: none}")
    event = Message("src", 0, 0, None, b'{"id":1,"n":1}', (("g", b"f"), ("g", b"m"), ("s", None)), 0)
    (change,) = SourceReader(of)(event)
    assert (change.attributes.gender, change.attributes.status) == ("m", "none")


def test_an_event_type_in_a_header_says_what_the_event_does() -> None:
    head = HEAD + "operation: {path: //header.ce_type, values: {customer.created: snapshot, customer.deleted: delete}}"
    of = mapping("gender: g", head)
    made = [
        read(of, {"id": 1, "n": n}, headers={"ce_type": f"customer.{what}"}) for n, what in ((1, "created"), (2, "deleted"))
    ]
    assert [change.operation for (change,) in made] == ["snapshot", "delete"]
    with pytest.raises(RejectedError, match="unknown-operation"):
        read(of, {"id": 1, "n": 1})


def test_fields_of_an_event_that_are_called_like_parts_of_a_message_are_the_events() -> None:
    of = mapping("characteristics: {t: topic, k: key.id, h: header}", HEAD.replace("record_id: id", "record_id: key.id"))
    (change,) = read(of, {"n": 1, "key": {"id": 5}, "topic": "own", "header": "h"}, b"other")
    assert change.record == "north/test/5"
    assert change.attributes.characteristics == {"t": "own", "k": "5", "h": "h"}


def test_the_avro_records_name_says_what_an_event_is() -> None:
    schema = (
        '{"type":"record","namespace":"com.acme","name":"%s","fields":[{"name":"id","type":"int"},'
        '{"name":"n","type":"int"}]}'
    )
    registry = DictRegistry({1: schema % "CustomerCreated", 2: schema % "CustomerDeleted", 3: schema % "OrderPlaced"})
    head = HEAD.replace("json", "avro") + (
        "operation: {path: //schema, values: {com.acme.CustomerCreated: snapshot, com.acme.CustomerDeleted: delete},"
        " otherwise: ignore}"
    )
    reader = SourceReader(mapping("status: {constant: active}", head), registry)
    found = [reader(at(avro(registry.schemas[number], {"id": 1, "n": number}, number))) for number in (1, 2, 3)]
    assert [[change.operation for change in changes] for changes in found] == [["snapshot"], ["delete"], []]


def test_a_key_of_an_avro_topic_may_be_text_or_json() -> None:
    schema = '{"type":"record","name":"R","fields":[{"name":"n","type":"int"}]}'
    reader = SourceReader(
        mapping("status: {constant: a}", HEAD.replace("json", "avro").replace("record_id: id", "record_id: //key")),
        DictRegistry({1: schema, 2: '"long"'}),
    )
    value = avro(schema, {"n": 1})
    keys = [b"1004", b'"1004"', avro('"long"', 1004, 2)]
    assert [reader(at(value, key))[0].record for key in keys] == ["north/test/1004"] * 3


# -- paths --


@pytest.mark.parametrize(
    "event",
    [
        {"customer.id": "7", "customer.first": "Ada", "n": 1},
        {"customer": {"id": "7", "first": "Ada"}, "n": 1},
    ],
)
def test_a_name_with_dots_is_found_as_it_stands(event: dict[str, object]) -> None:
    (change,) = read(
        mapping("names: {given: customer.first}", HEAD.replace("record_id: id", "record_id: customer.id")), event
    )
    assert (change.record, change.attributes.names) == ("north/test/7", [Name(given="Ada")])


def test_an_escaped_dot_names_only_the_key_with_the_dot() -> None:
    event: dict[str, object] = {"a.b": "dotted", "a": {"b": "nested"}, "x/y": "slash", "back\\slash": "back"}
    found = attributes(r"characteristics: {d: 'a\.b', n: a.b, s: /x\/y, b: 'back\\slash'}", event)
    assert found.characteristics == {"d": "dotted", "n": "nested", "s": "slash", "b": "back"}


def test_json_in_a_text_is_read_where_a_path_goes_on_into_it() -> None:
    event: dict[str, object] = {
        "contacts": '{"phones": [{"number": "+447911123456"}], "mail": "a@b.example"}',
        "tags": ' ["x", "y"]',
        "plain": "{no json",
    }
    found = attributes(
        "phones: {each: contacts.phones, value: number}\nemails: {value: contacts.mail}\n"
        "characteristics: {tag: tags.1, plain: plain, whole: tags}",
        event,
    )
    assert found.phones == [Phone(value="+447911123456", raw="+447911123456")]
    assert found.emails == [Email(value="a@b.example", raw="a@b.example")]
    assert found.characteristics == {"tag": "y", "plain": "{no json", "whole": '["x", "y"]'}
    with pytest.raises(RejectedError, match=r"path plain\.a: an object was expected before 'a'"):
        attributes("gender: plain.a", event)


def test_root_and_each_open_json_in_a_text() -> None:
    (change,) = read(
        mapping("phones: {each: p, value: .}", HEAD + "root: [data, other]"),
        {"id": 1, "n": 1, "data": None, "other": '{"p": "[\\"1\\",\\"2\\"]"}'},
    )
    assert [phone.value for phone in change.attributes.phones or ()] == ["1", "2"]


def test_a_root_that_is_null_says_nothing_and_one_that_is_absent_is_refused() -> None:
    of = mapping("gender: g", HEAD + "root: full")
    assert read(of, {"id": 1, "n": 1, "full": None}) == []
    with pytest.raises(RejectedError, match="root: no object there"):
        read(of, {"id": 1, "n": 1})


# -- values --


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"scale": 0, "value": "A+w="}, "1004"),
        ({"scale": 2, "value": "A+w="}, "10.04"),
        ({"scale": -2, "value": "A+w="}, "100400"),
        ({"scale": 0, "value": "/Bg="}, "-1000"),
        ({"scale": 3, "value": b64encode((10**40 + 1).to_bytes(18, "big")).decode()}, "1" + "0" * 37 + ".001"),
        ({"$oid": "5f7f1d0a8e5f4b0001a1b2c3"}, "5f7f1d0a8e5f4b0001a1b2c3"),
        ({"$numberLong": "12"}, "12"),
        ({"$date": {"$numberLong": "1700000000000"}}, "1700000000000"),
    ],
)
def test_a_value_wrapped_in_its_type_is_read(value: object, text: str) -> None:
    assert attributes("gender: g", {"g": value}).gender == text


@pytest.mark.parametrize("value", [{"scale": 0, "value": "!"}, {"scale": 0, "value": ""}, {"scale": 10**9, "value": "AQ=="}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(RejectedError, match=r"bad-value.*base64 of a decimal's digits"):
        attributes("gender: g", {"g": value})


def test_the_digits_of_a_number_and_binary_keys_are_read_by_transforms() -> None:
    event: dict[str, object] = {"no": "C66mXW3vHA==", "limit": "AYag", "uid": "Ej5FZw=="}
    found = attributes(
        "characteristics: {no: {path: no, transform: {decimal: 0}}, limit: {path: limit, transform: {decimal: 2}},"
        " uid: {path: uid, transform: hex}}",
        event,
    )
    assert found.characteristics == {
        "no": str(int.from_bytes(bytes.fromhex("0baea65d6def1c"), "big")),
        "limit": "1000.00",
        "uid": "123e4567",
    }
    with pytest.raises(RejectedError, match=r"bad-value.*base64 was expected"):
        attributes("gender: {path: g, transform: hex}", {"g": "*"})


# -- JSON with its schema --

ROW_SCHEMA = {
    "type": "struct",
    "name": "crm.Row",
    "fields": [
        {"field": "id", "type": "int64"},
        {"field": "limit", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
        {
            "field": "inner",
            "type": "struct",
            "fields": [
                {
                    "field": "no",
                    "type": "bytes",
                    "name": "org.apache.kafka.connect.data.Decimal",
                    "parameters": {"scale": "0"},
                }
            ],
        },
    ],
}


def test_a_payload_is_taken_out_of_its_schema_and_its_decimals_are_numbers() -> None:
    of = mapping("characteristics: {limit: limit, no: inner.no, schema: //schema}")
    (change,) = read(of, {"schema": ROW_SCHEMA, "payload": {"id": 1, "n": 1, "limit": "AYag", "inner": {"no": "A+w="}}})
    assert change.record == "north/test/1"
    assert change.attributes.characteristics == {"limit": "1000.00", "no": "1004", "schema": "crm.Row"}


def test_a_mapping_that_names_the_payload_itself_reads_as_before() -> None:
    of = mapping("gender: payload.g", HEAD.replace("record_id: id", "record_id: payload.id").replace("n}", "payload.n}"))
    (change,) = read(of, {"schema": {"type": "struct"}, "payload": {"id": 1, "n": 1, "g": "f"}})
    assert change.attributes.gender == "f"


# -- CloudEvents --


@pytest.mark.parametrize(
    "data",
    [
        {"data": {"lastName": "Byron"}},
        {"data": '{"lastName":"Byron"}'},
        {"data_base64": b64encode(b'{"lastName":"Byron"}').decode()},
    ],
)
def test_the_data_of_a_cloud_event_is_an_object_a_text_or_base64(data: dict[str, object]) -> None:
    of = mapping("names: {family: lastName}", HEAD.replace("record_id: id", "record_id: subject") + "root: data")
    (change,) = read(of, {"specversion": "1.0", "subject": "7", "n": 1} | data)
    assert change.attributes.names == [Name(family="Byron")]


def test_data_that_is_not_base64_is_refused() -> None:
    with pytest.raises(RejectedError, match="bad-value: data_base64"):
        read(mapping("gender: g", HEAD + "root: data"), {"specversion": "1.0", "id": "7", "n": 1, "data_base64": "*"})


# -- rows --

ROWS_HEAD = HEAD.replace("{sequence: n}", "{sequence: [/es, /id]}") + "split: data\n"


def test_every_row_of_an_event_is_a_change_in_its_place() -> None:
    head = ROWS_HEAD + "operation: {path: /type, values: {INSERT: snapshot, DELETE: delete}, otherwise: ignore}"
    of = mapping("gender: g\ncharacteristics: {row: //row}", head)
    event = {
        "type": "INSERT",
        "es": 5,
        "id": 9,
        "data": [{"id": "1", "g": "f"}, {"id": "2", "g": "m"}, {"id": "1", "g": "x"}],
    }
    changes = read(of, event)
    assert [(change.record[-1], change.attributes.gender) for change in changes] == [("1", "f"), ("2", "m"), ("1", "x")]
    assert [change.cause.ref for change in changes] == ["src/1/3#0", "src/1/3#1", "src/1/3#2"]
    assert [change.attributes.characteristics for change in changes] == [{"row": "0"}, {"row": "1"}, {"row": "2"}]
    assert changes[2].order.position > changes[0].order.position, "the later row of one record is the newer"
    assert read(of, {"type": "ALTER", "es": 5, "id": 9, "data": None}) == []
    assert read(of, {"type": "INSERT", "es": 5, "id": 9, "data": []}) == []
    with pytest.raises(RejectedError, match="split: no list there"):
        read(of, {"type": "INSERT", "es": 5, "id": 9})


def test_an_array_is_split_and_without_split_the_refusal_says_how() -> None:
    events = [{"id": "1", "n": 1}, {"id": "2", "n": 1}]
    assert [change.record for change in read(mapping("gender: g", HEAD + "split: ."), events)] == [
        "north/test/1",
        "north/test/2",
    ]
    with pytest.raises(RejectedError, match=r"not an object \(an array: split: \. makes an event of each\)"):
        read(mapping("gender: g"), events)


def test_one_change_of_several_records_patches_each() -> None:
    head = (
        HEAD.replace("record_id: id", "record_id: .").replace("n}", "/n}") + "operation: patch\nsplit: header.ids\nroot: /"
    )
    changes = read(mapping("phones: {value: Phone}", head), {"header": {"ids": ["a", "b"]}, "n": 4, "Phone": "1"})
    assert [(change.record, change.attributes.phones) for change in changes] == [
        ("north/test/a", [Phone(value="1", raw="1")]),
        ("north/test/b", [Phone(value="1", raw="1")]),
    ]


def test_a_bad_row_is_told_with_its_number_and_the_others_are_read() -> None:
    reading = Reading()
    rows = [{"id": "1", "n": 1}, {"n": 1}, "text", {"id": "3", "n": 1}]
    changes = mapping("gender: g", HEAD + "split: .").changes(at(b""), rows, reading=reading)
    assert [change.record[-1] for change in changes] == ["1", "3"]
    assert [(error.reason, error.detail.partition(":")[0]) for error in reading.refused] == [
        ("missing-record-id", "row 1"),
        ("bad-value", "row 2"),
    ]
    with pytest.raises(RejectedError, match="missing-record-id: row 1: mapping test, record_id"):
        mapping("gender: g", HEAD + "split: .").changes(at(b""), rows)


def test_an_event_of_too_many_rows_is_refused() -> None:
    with pytest.raises(RejectedError, match="too-large: mapping test, split: more than 10,000 rows"):
        mapping("gender: g", HEAD + "split: .").changes(at(b""), [{}] * 10_001)


# -- tombstones --


@pytest.mark.parametrize(
    ("record_id", "key", "record"),
    [("id", b'{"id": 7}', "7"), ("id", b"7", "7"), ("//key", b"c-7", "c-7"), ("//key.id", b'{"id": 7}', "7")],
)
def test_a_tombstone_deletes_the_record_of_its_key(record_id: str, key: bytes, record: str) -> None:
    of = mapping("gender: g", HEAD.replace("record_id: id", f"record_id: {record_id}") + "tombstones: delete")
    (change,) = read(of, None, key)
    assert (change.record, change.operation) == (f"north/test/{record}", "delete")
    assert change.order == Order("p1", (0, 3)), "the key says no order: the log does"
    assert change.cause.time == 1_700_000_000_000


def test_a_tombstone_is_ordered_as_events_are_where_the_log_orders_them() -> None:
    head = HEAD.replace("{sequence: n}", "{timestamp: {path: //timestamp, format: epoch_ms}}") + "tombstones: delete"
    assert read(mapping("gender: g", head), None, b"7")[0].order == Order("time", (0, 1_700_000_000_000_000))


def test_a_tombstone_without_a_key_or_realm_is_refused() -> None:
    with pytest.raises(RejectedError, match="missing-record-id"):
        read(mapping("gender: g", HEAD + "tombstones: delete"), None, None)
    with pytest.raises(RejectedError, match="unknown-realm"):
        read(mapping("gender: g", HEAD.replace("{constant: north}", "brand") + "tombstones: delete"), None, b"7")


def test_a_tombstone_after_a_delete_can_be_passed_over() -> None:
    assert read(mapping("gender: g", HEAD + "tombstones: ignore"), None, b"7") == []


# -- lists of typed items --

TELECOM: dict[str, object] = {
    "telecom": [
        {"system": "phone", "use": "mobile", "value": "+447911123456"},
        {"system": "email", "value": "a@b.example"},
        {"value": "no system"},
    ]
}


def test_when_is_asked_of_each_item_of_a_list() -> None:
    found = attributes(
        "emails: {each: telecom, when: {path: system, equals: email}, value: value}\n"
        "phones: {each: telecom, when: {path: system, equals: phone}, use: use, value: value}",
        TELECOM,
    )
    assert found.emails == [Email(value="a@b.example", raw="a@b.example")]
    assert found.phones == [Phone(value="+447911123456", raw="+447911123456", use="mobile")]


def test_a_condition_on_what_is_around_the_list_still_holds_for_the_whole_of_it() -> None:
    text = "phones: {each: p, when: {path: kind, equals: person}, value: .}"
    assert attributes(text, {"kind": "person", "p": ["1"]}).phones == [Phone(value="1", raw="1")]
    assert attributes(text, {"kind": "firm", "p": ["1"]}).phones is None


def test_a_patch_whose_list_has_no_fitting_item_empties_the_attribute() -> None:
    text = "emails: {each: telecom, when: {path: system, equals: email}, value: value}"
    found = attributes(text, {"telecom": [{"system": "phone", "value": "1"}]}, HEAD + "operation: patch")
    assert found.emails is None


@pytest.mark.parametrize(
    ("kind", "values"),
    [("text", ["a"]), ("number", [1, 1.5]), ("boolean", [True]), ("object", [{"a": 1}]), ("list", [[1]])],
)
def test_a_condition_can_ask_of_what_type_a_value_is(kind: str, values: list[object]) -> None:
    of = mapping("gender: g", HEAD + f"delete_when: {{path: v, type: {kind}}}")
    others: list[object] = ["a", 1, 1.5, True, {"a": 1}, [1], None]
    deleted = [value for value in others if of.changes(at(b""), {"id": "1", "n": 1, "v": value})[0].operation == "delete"]
    assert list(map(repr, deleted)) == list(map(repr, values))


LISTED: dict[str, object] = {
    "characteristic": [{"name": "language", "value": "de"}, {"name": "empty"}, {"name": "tier", "value": "gold"}]
}


def test_a_characteristic_is_picked_from_a_list_by_its_name() -> None:
    found = attributes(
        "characteristics: {lang: {each: characteristic, when: {path: name, equals: language}, value: value},"
        " none: {each: characteristic, when: {path: name, equals: other}, value: value}}",
        LISTED,
    )
    assert found.characteristics == {"lang": "de", "none": None}


def test_all_characteristics_of_a_list_are_taken_with_their_names() -> None:
    listed = "{each: characteristic, name: name, value: value}"
    assert attributes(f"characteristics: {listed}", LISTED).characteristics == {"language": "de", "tier": "gold"}
    both = attributes(f"characteristics: [{listed}, {{own: o}}]", LISTED | {"o": "1"})
    assert both.characteristics == {"language": "de", "tier": "gold", "own": "1"}


# -- what a source says has changed --

CHANGED = HEAD + "operation: patch\nchanged: [/h.changed, /h.nulled]\n"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (["Phone"], {"phones"}),
        (["Phone", "Name.Last"], {"phones", "names"}),
        (["Name"], {"names", "phones"}),
        (["Other"], {"phones"}),
        ([], {"phones"}),
        (None, {"phones"}),
    ],
)
def test_a_null_outside_the_list_of_what_changed_is_no_emptying(changed: object, named: set[str]) -> None:
    text = "names: {given: Name.First, family: Name.Last}\nemails: {value: Email}\nphones: {value: Phone}"
    event: dict[str, object] = {"h": {"changed": changed}, "Name": None, "Email": None, "Phone": "1"}
    found = attributes(text, event, CHANGED)
    assert set(support.named(found)) == named


def test_a_field_that_is_listed_as_nulled_is_emptied() -> None:
    found = attributes("emails: {value: Email}", {"h": {"nulled": ["Email"]}}, CHANGED)
    assert found.emails is None


def test_a_bitmap_of_what_changed_is_refused() -> None:
    with pytest.raises(RejectedError, match=r"bad-value.*changed: a bitmap: have the connector write the names"):
        attributes("emails: {value: Email}", {"h": {"changed": ["0x650004E0"]}}, CHANGED)


def test_an_envelope_that_is_read_as_json_is_told() -> None:
    of = mapping("gender: after.g", HEAD.replace("record_id: id", "record_id: after.id"))
    with pytest.raises(RejectedError, match=r"missing-record-id.*the event is Debezium's envelope: the format debezium"):
        read(of, {"op": "d", "before": {"id": 1}, "after": None, "n": 1})


def test_events_can_be_passed_over_by_a_condition_before_their_record_is_looked_for() -> None:
    head = HEAD + "ignore_when: {path: id, present: false}\ndelete_when: {path: gone, equals: true}"
    of = mapping("gender: g", head)
    assert read(of, {"n": 1, "gone": True}) == []
    assert [change.operation for change in read(of, {"id": 1, "n": 1, "gone": True})] == ["delete"]
    assert [change.operation for change in read(of, {"id": 1, "n": 1})] == ["snapshot"]
