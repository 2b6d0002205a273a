from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings import shipped_mapping
from connectors.mappings.model import Condition, MappingDocument, Transform, Value, Word
from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Attributes
from schemas.documents import DocumentError, parse_document
from schemas.messages import Cause, Order
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import HEAD, change, mapping, stale

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_change_carries_its_record_and_its_cause() -> None:
    at = message(b"", topic="t", partition=2, offset=7, timestamp=5, headers=(("traceparent", TRACE),))
    found = change(mapping("gender: g"), {"id": "a/b", "g": "f"}, at)
    assert found.record == "north/test/a/b"
    assert found.operation == "snapshot"
    assert found.attributes == Attributes(gender="f")
    assert found.cause == Cause("t/2/7", 5, TRACE.decode())


@pytest.mark.parametrize("trace", [b"\xff", b"x" * 1000, b"evil\n"])
def test_a_trace_that_is_none_is_not_carried_on(trace: bytes) -> None:
    assert change(mapping("gender: g"), {}, message(b"", headers=(("traceparent", trace),))).cause.trace == ""


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{sequence: n}", Order("seq", (0, 4))),
        ("{sequence: [m, n]}", Order("seq", (0, 9, 4))),
        ("{timestamp: at}", Order("time", (0, 1_704_277_230_123_000))),
        ("{timestamp: {path: s, format: epoch_s}}", Order("time", (0, 1_704_277_230_000_000))),
        ("{log: true}", Order("p3", (0, 8))),
        ("log", Order("p3", (0, 8))),
    ],
)
def test_the_mapping_says_what_orders_a_records_events(order: str, expected: Order) -> None:
    event: dict[str, object] = {"n": 4, "m": "9", "at": "2024-01-03T10:20:30.123Z", "s": 1_704_277_230}
    of = mapping("gender: g", HEAD.replace("{sequence: n}", order))
    assert change(of, event, message(b"", partition=3, offset=8)).order == expected


def test_a_higher_epoch_comes_after_everything_before_it() -> None:
    before = change(mapping("gender: g"), {"n": 10**9}).order
    after = change(mapping("gender: g", f"{HEAD}\nepoch: 1"), {"n": 1}).order
    assert stale(before, after)
    assert not stale(after, before)


def test_a_mapping_of_no_topics_orders_by_place() -> None:
    of = mapping("gender: g", HEAD.replace("order: {sequence: n}", ""))
    assert change(of, {}, message(b"", offset=8)).order == Order("p0", (0, 8))


def test_the_source_may_come_from_the_record() -> None:
    of = mapping("gender: g", HEAD.replace("source: test", "source: {path: system, default: web}"))
    assert change(of, {"system": "crm"}).record == "north/crm/1"
    assert change(of, {}).record == "north/web/1"
    for bad in ("a/b", "x" * 65):
        with pytest.raises(RejectedError, match=r"unknown-source: mapping \(source from the record\), source: "):
            change(of, {"system": bad})


def test_a_mapping_knows_every_path_it_reads() -> None:
    head = "source: {path: s}\nformat: json\nrealm: r\nrecord_id: {concat: [a, b]}\norder: {sequence: [m, n]}"
    of = mapping(
        """
        names: [{given: g, when: {path: w, present: true}}, {each: list, family: f}]
        phones: {value: {path: p, transform: {phone: {default_region: /country}}}}
        characteristics: {path: q, sequence: t, each: {constant: fixed}}
        """,
        head,
    )
    assert of.columns == {*"srabmngwfpqt", "list", "/country"}


def test_event_time_is_the_events_or_else_the_logs() -> None:
    of = mapping("gender: g", f"{HEAD}\nevent_time: at")
    assert change(of, {"at": "2024-01-03T10:20:30.123Z"}).cause.time == 1_704_277_230_123
    assert change(of, {"at": None}, message(b"", timestamp=5)).cause.time == 5
    with pytest.raises(RejectedError, match="bad-date: mapping test, event_time"):
        change(of, {"at": "tomorrow"})


def test_the_operation_may_be_a_value_of_the_event() -> None:
    values = "{I: snapshot, U: patch, D: delete, H: ignore}"
    of = mapping("gender: g", f"{HEAD}\noperation: {{path: op, values: {values}}}")
    assert [change(of, {"op": op}).operation for op in "IUD"] == ["snapshot", "patch", "delete"]
    assert of.changes(message(b""), {"op": "H"}) == []
    with pytest.raises(RejectedError, match="unknown-operation: mapping test, operation: path op"):
        change(of, {"op": "X"})
    otherwise = mapping("gender: g", f"{HEAD}\noperation: {{path: op, values: {values}, otherwise: patch}}")
    assert change(otherwise, {"op": "X"}).operation == "patch"


def test_a_condition_deletes() -> None:
    of = mapping("gender: g", f"{HEAD}\noperation: patch\ndelete_when: {{path: deleted, equals: true}}")
    assert change(of, {"deleted": True, "g": {"not": "looked at"}}).operation == "delete"
    assert change(of, {"deleted": True}).attributes == Attributes()
    assert change(of, {"deleted": False}).operation == "patch"


@pytest.mark.parametrize(
    ("head", "event", "reason"),
    [
        (HEAD, {"id": None}, "missing-record-id"),
        (HEAD, {"id": "  "}, "missing-record-id"),
        (HEAD, {"id": {}}, "bad-value"),
        (HEAD, {"id": "x" * 257}, "too-large"),
        (HEAD.replace("{constant: north}", "brand"), {}, "unknown-realm"),
        (HEAD.replace("{constant: north}", "brand"), {"brand": "a/b"}, "unknown-realm"),
        (HEAD.replace("{constant: north}", "brand") + "realms: [north]", {"brand": "south"}, "unknown-realm"),
    ],
)
def test_an_event_of_no_known_record_is_rejected(head: str, event: dict[str, object], reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        change(mapping("gender: g", head), event)
    assert caught.value.reason == reason


@pytest.mark.parametrize("document", [[], "text", 5, True])
def test_an_event_that_is_no_object_is_rejected(document: object) -> None:
    with pytest.raises(RejectedError, match="bad-value: mapping test: the event is not an object"):
        mapping("gender: g").changes(message(b""), document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("order: {sequence: n}", "topics: [t]"), "m.yaml:1: order is missing: name what orders a record's"),
        (HEAD.replace("{sequence: n}", "debezium"), "m.yaml:1: order {debezium: true} needs the format debezium"),
        (HEAD.replace("json", "debezium") + "root: x", "m.yaml:1: root comes with the Debezium envelope"),
        (HEAD.replace("{sequence: n}", "{sequence: n, log: true}"), "m.yaml:6: order: an order has exactly one key"),
        (HEAD.replace("{sequence: n}", "sequnce"), "order: unknown key 'sequnce', did you mean 'sequence'?"),
        (HEAD.replace("json", "xml"), "m.yaml:3: format: is 'xml' (allowed: json, avro, debezium, debezium-avro, csv)"),
        (HEAD.replace("json", "csv") + "topics: [t]", "m.yaml:1: the format csv is for files: leave topics out"),
        (HEAD.replace("json", "csv") + "delimiter: ab", 'm.yaml:7: delimiter: a delimiter is one character, such as ";"'),
        (HEAD + "delimiter: x", "m.yaml:1: delimiter is for the format csv"),
        (HEAD.replace("source: test", "source: {pth: a}"), "m.yaml:2: source.pth: unknown key 'pth', did you mean 'path'?"),
        (HEAD.replace("source: test", "source: a/b"), "m.yaml:2: source: a source's name is 1 to 64 of"),
        (HEAD + "operation: remove", "m.yaml:7: operation: is 'remove' (allowed: snapshot, patch)"),
        (HEAD + "delete_when: {path: x}", "m.yaml:7: delete_when: a condition needs exactly one of"),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(f"{text}\nattributes: {{}}", MappingDocument, "m.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("nmes: x", "nmes: unknown key 'nmes', did you mean 'names'?"),
        ("names: {famly: x}", "names.famly: unknown key 'famly', did you mean 'family'? (allowed: each, family, full,"),
        ("phones: {split_name: x}", "phones.split_name: unknown key"),
        ("kind: {path: a..b}", "kind.path: 'a..b' is not a path"),
        ("kind: {path: a, constant: b}", "kind: a value needs exactly one of path, constant, concat, first"),
        ("kind: {path: a, transform: [trim, lowr]}", "kind.transform[1]: is 'lowr', did you mean 'lower'? (allowed: trim,"),
        ("kind: {path: a, transform: {phne: {}}}", "kind.transform.phne: unknown key 'phne', did you mean 'phone'?"),
        ("kind: {path: a, transform: {date: DD/MM}}", "kind.transform.date: 'DD/MM' is not a date format (iso, days,"),
        ("kind: {path: a, transform: {extract: 5}}", "kind.transform.extract: "),
        ("kind: {path: a, transform: {extract: (a+)+}}", "kind.transform.extract: '(a+)+' repeats a group"),
        ("kind: 5", "kind: must be text"),
    ],
)
def test_a_mistake_in_an_attribute_is_named_with_its_place(attribute: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        mapping(attribute)
    assert f"test.yaml:9: attributes.{said}" in str(caught.value)


YAML = st.recursive(
    st.sampled_from(["a", "5", "true", "~", "json", "debezium", "log", "..", "{path: a}", "{constant: b}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(
                ["path", "transform", "phone", "date", "map", "extract", "each", "when", "value", "sequence", "names"]
            ),
            inner,
            max_size=3,
        ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}")
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(MappingDocument.model_fields)), YAML))
def test_any_mapping_is_compiled_or_refused_with_its_problems(parts: dict[str, str]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in parts.items())
    for whole in (text, f"{HEAD}\nattributes: {{names: {parts.get('attributes', 'a')}, kind: {parts.get('realm', 'a')}}}"):
        try:
            parse_document(whole, MappingDocument, "m.yaml")
        except DocumentError as error:
            assert all(problem.line >= 1 for problem in error.problems)  # noqa: PT017


def test_the_shipped_mappings_are_found_by_name() -> None:
    assert shipped_mapping("crm").name == "crm.yaml"
    with pytest.raises(ValueError, match=r"'none' is shipped .there are: billing, cloudevents, crm, febrl, .*sqlserver"):
        shipped_mapping("none")


def test_the_documentation_names_every_key_and_its_example_is_a_mapping() -> None:
    text = (Path(__file__).parents[4] / "docs" / "mappings.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert parse_document(example[1], MappingDocument, "docs/mappings.md").source == "selfcare"
    words = set(re.findall(r"\w+", text))
    parts = {name for part in LIST_ATTRIBUTES.values() for name in part.__struct_fields__}
    keys = [
        *MappingDocument.model_fields,
        *Value.model_fields,
        *Transform.model_fields,
        *Condition.model_fields,
        *ATTRIBUTES,
    ]
    assert {*keys, *parts, *get_args(Word)} <= words
