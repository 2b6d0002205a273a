from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from connectors.mappings import check
from tests.unit.connectors.mappings.support import HEAD, DictRegistry, avro

SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "int"}]}'


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "m.yaml"
    path.write_text(f"{HEAD}\nattributes: {{gender: g}}")
    return path


def test_a_mapping_without_samples_is_fine(mapping: Path) -> None:
    report = check(mapping)
    assert (report.source, report.fine, report.events) == ("test", True, ())


def test_the_problems_of_a_mapping_are_reported(mapping: Path) -> None:
    mapping.write_text("source: a\nformt: json")
    report = check(mapping)
    assert not report.fine
    assert "formt: unknown key 'formt', did you mean 'format'?" in "\n".join(map(str, report.problems))


def test_a_json_file_shows_what_it_becomes(mapping: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text('{\n"id": "1", "n": 5, "g": "f"}\n')
    report = check(mapping, [sample])
    assert report.fine
    (event,) = report.events
    assert event.sample == str(sample)
    assert event.changes == (
        {
            "t": "change",
            "record": "north/test/1",
            "operation": "snapshot",
            "order": ["seq", (0, 5)],
            "attributes": {"gender": "f"},
            "cause": ["sample/0/0", 0, ""],
        },
    )


def test_each_line_of_a_jsonl_file_is_an_event(mapping: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.jsonl"
    sample.write_bytes(
        b'{"id":"1","n":5}\n{"n":6}\n\n{"id":\n{"key":"k","value":{"id":"2","n":1}}\n{"key":"k","value":null}\n'
    )
    report = check(mapping, [sample])
    assert [(event.sample.rpartition(":")[2], len(event.changes), event.reason) for event in report.events] == [
        ("1", 1, ""),
        ("2", 0, "missing-record-id"),
        ("3", 0, "tombstone"),
        ("4", 0, "malformed-json"),
        ("5", 1, ""),
        ("6", 0, "tombstone"),
    ]
    assert not report.fine


def test_any_other_file_is_the_bytes_of_one_message(mapping: Path, tmp_path: Path) -> None:
    mapping.write_text(mapping.read_text().replace("format: json", "format: avro"))
    sample = tmp_path / "a.bin"
    sample.write_bytes(avro(SCHEMA, {"id": "1", "n": 2}))
    mapping.write_text(mapping.read_text().replace("gender: g", "gender: n"))
    assert check(mapping, [sample], DictRegistry({1: SCHEMA})).fine
    assert check(mapping, [sample], DictRegistry()).events[0].reason == "unknown-schema"
    assert check(mapping, [sample], DictRegistry(reachable=False)).events[0].reason == "registry"
    assert check(mapping, [sample]).problems[0].what == "the format avro needs a schema registry"


def test_a_sample_that_cannot_be_read_is_a_problem_and_the_others_are_still_read(mapping: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text('{"id": "1", "n": 5, "g": null}')
    report = check(mapping, [tmp_path / "none.json", sample])
    assert [str(problem) for problem in report.problems] == [
        f"{tmp_path}/none.json:1: cannot be read: No such file or directory"
    ]
    assert len(report.events) == 1


def test_the_rows_of_a_csv_file_show_what_they_become(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text("source: s\nformat: csv\nrealm: {constant: north}\nrecord_id: id\nattributes: {gender: g}")
    sample = tmp_path / "a.csv"
    sample.write_text("id,g\n1,f\n,m\n")
    report = check(mapping, [sample])
    assert [(event.sample, len(event.changes), event.reason) for event in report.events] == [
        (f"{sample}:2", 1, ""),
        (f"{sample}:3", 0, "missing-record-id"),
    ]
    sample.write_text("id\n1\n")
    assert [str(problem) for problem in check(mapping, [sample]).problems] == [
        f"{sample}:1: it has no g, which mapping s reads"
    ]
    sample.write_text("")
    assert [str(problem) for problem in check(mapping, [sample]).problems] == [
        f"{sample}:1: there is no header: the first line must name the columns"
    ]


def test_a_line_of_a_whole_message_has_key_headers_and_place(mapping: Path, tmp_path: Path) -> None:
    head = HEAD.replace("record_id: id", "record_id: //key")
    mapping.write_text(f"{head}\nattributes: {{characteristics: {{h: //header.h, t: //topic, o: //offset}}}}")
    sample = tmp_path / "a.jsonl"
    line = {"key": "k", "value": {"n": 1}, "headers": {"h": "x"}, "topic": "t", "offset": 9, "note": "a remark"}
    sample.write_text(json.dumps(line))
    (event,) = check(mapping, [sample]).events
    assert event.changes[0]["record"] == "north/test/k"
    assert event.changes[0]["attributes"] == {"characteristics": {"h": "x", "t": "t", "o": "9"}}


def test_bytes_of_a_message_are_in_base64(mapping: Path, tmp_path: Path) -> None:
    mapping.write_text(
        mapping.read_text().replace("format: json", "format: avro").replace("record_id: id", "record_id: //key")
    )
    sample = tmp_path / "a.jsonl"
    value = b64encode(avro(SCHEMA, {"id": "1", "n": 2})).decode()
    sample.write_text(json.dumps({"value_base64": value, "key_base64": b64encode(b"k-1").decode()}))
    (event,) = check(mapping, [sample], DictRegistry({1: SCHEMA})).events
    assert event.changes[0]["record"] == "north/test/k-1"


@pytest.mark.parametrize(
    ("line", "record_id"),
    [
        ({"id": "1", "n": 1, "key": "k1", "value": "x"}, "id"),
        ({"key": "1", "value": {"n": 1}}, "key"),
        ({"key": "k", "value": {"id": "1"}}, "value.id"),
    ],
)
def test_an_event_that_has_fields_key_and_value_is_the_event(
    mapping: Path, tmp_path: Path, line: dict[str, object], record_id: str
) -> None:
    head = HEAD.replace("record_id: id", f"record_id: {record_id}").replace("{sequence: n}", "{log: true}")
    mapping.write_text(f"{head}\nattributes: {{gender: {{path: g, default: f}}}}")
    sample = tmp_path / "a.jsonl"
    sample.write_text(json.dumps(line))
    (event,) = check(mapping, [sample]).events
    assert [change["record"] for change in event.changes] == ["north/test/1"]


def test_items_of_key_and_value_inside_a_list_leave_lines_to_be_messages(mapping: Path, tmp_path: Path) -> None:
    text = "{emails: {each: list, when: {path: key, equals: email}, value: value}}"
    mapping.write_text(f"{HEAD}\nattributes: {text}")
    sample = tmp_path / "a.jsonl"
    sample.write_text(json.dumps({"key": "k", "value": {"id": "1", "n": 1, "list": [{"key": "email", "value": "a@b"}]}}))
    report = check(mapping, [sample])
    assert report.fine
    assert report.events[0].changes[0]["attributes"] == {"emails": [{"value": "a@b", "raw": "a@b"}]}


def test_paths_are_reported_that_are_in_no_sample(mapping: Path, tmp_path: Path) -> None:
    mapping.write_text(f"{HEAD}\nattributes: {{gender: g, status: {{first: [s, t]}}, emails: {{each: m, value: v}}}}")
    sample = tmp_path / "a.jsonl"
    sample.write_text('{"id":"1","n":1,"t":"x","m":[{"w":1}]}\n{"id":"1","n":2,"t":"x"}\n')
    report = check(mapping, [sample])
    assert [(unfound.path, unfound.where) for unfound in report.unfound] == [
        ("g", ("attributes.gender",)),
        ("s", ("attributes.status.first",)),
        ("v", ("attributes.emails.value",)),
    ]
    assert report.fine


def test_a_mapping_that_finds_nothing_is_not_fine(mapping: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text('{"id": "1", "n": 5, "h": "f"}')
    report = check(mapping, [sample])
    assert not report.fine
    assert "none of the paths below is in any sample" in report.problems[0].what


def test_what_cannot_be_read_and_what_is_not_what_it_seems_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "source: crm\nformat: debezium\nrealm: {constant: north}\nrecord_id: id\n"
        "attributes:\n  names: {given: first}\n  consents: {purpose: {constant: news}, granted: news}\n"
        "  characteristics: {limit: limit}\n"
    )
    sample = tmp_path / "events.jsonl"
    row = {"id": 1, "first": "McDonald", "news": "perhaps", "limit": "AYag", "unmapped": "A+w="}
    sample.write_text(json.dumps({"op": "c", "after": row, "source": {"lsn": 5}}))
    (event,) = check(path, [sample]).events
    assert (event.reason, event.changes[0]["operation"]) == ("", "patch")
    assert event.notes == (
        "mapping crm, attribute consents: true or false was expected: it stays as it was",
        "path limit looks like a number in base64, as decimal.handling.mode: precise writes it: have the connector send"
        " strings, or write {path: limit, transform: {decimal: 0}}",
    )
