from __future__ import annotations

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
    assert check(mapping, [sample], DictRegistry({1: SCHEMA})).fine
    assert check(mapping, [sample], DictRegistry()).events[0].reason == "unknown-schema"
    assert check(mapping, [sample], DictRegistry(reachable=False)).events[0].reason == "registry"
    assert check(mapping, [sample]).problems[0].what == "the format avro needs a schema registry"


def test_a_sample_that_cannot_be_read_is_a_problem_and_the_others_are_still_read(mapping: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text('{"id": "1", "n": 5}')
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
