from __future__ import annotations

from io import BytesIO

import pytest

from connectors.mappings import FileReader, FileRow
from connectors.mappings.csv_rows import UnreadableFileError
from schemas.messages import Order
from tests.unit.connectors.mappings.support import HEAD, mapping

FLAT = "source: s\nformat: csv\nrealm: {constant: north}\nrecord_id: id"
LINES = FLAT.replace("csv", "json")


def read(head: str, data: bytes, place: int = 0) -> list[FileRow]:
    return list(FileReader(mapping("gender: g", head)).rows(BytesIO(data), "f", place))


def summary(rows: list[FileRow]) -> list[tuple[int, str]]:
    return [(row.line, row.change.record if row.change else row.rejected.reason if row.rejected else "") for row in rows]


def test_a_row_is_a_snapshot_ordered_by_its_place_and_of_no_time() -> None:
    rows = read(FLAT, b"id,g\n1,f\n2,\n", place=5)
    changes = [row.change for row in rows if row.change]
    assert [change.order for change in changes] == [Order("p0", (0, 5)), Order("p0", (0, 6))]
    assert [(change.operation, change.cause.time) for change in changes] == [("snapshot", 0)] * 2
    assert [change.attributes.gender for change in changes] == ["f", None]


def test_an_empty_cell_of_time_is_no_time_and_of_order_is_rejected() -> None:
    head = f"{FLAT}\nevent_time: at\norder: {{sequence: n}}"
    rows = read(head, b"id,g,at,n\n1,f,,3\n2,f,2024-01-03,\n")
    assert rows[0].change is not None
    assert (rows[0].change.cause.time, rows[0].change.order) == (0, Order("seq", (0, 3)))
    assert summary(rows)[1] == (3, "missing-order")


def test_json_lines_are_read_with_blank_lines_passed_over() -> None:
    data = b'\xef\xbb\xbf{"id":1}\n\n{"id":\nnull\n{"g":"f"}\n{"id":2}' + b" " * 5
    rows = read(LINES, data)
    assert summary(rows) == [
        (1, "north/s/1"),
        (3, "malformed-json"),
        (4, "tombstone"),
        (5, "missing-record-id"),
        (6, "north/s/2"),
    ]
    assert rows[-1].change is not None
    assert rows[-1].change.order == Order("p0", (0, 4))


def test_a_line_of_json_that_is_too_long_is_rejected_alone() -> None:
    rows = read(LINES, b'{"id":1,"g":"' + b"x" * 3_000_000 + b'"}\n{"id":2}\n')
    assert summary(rows) == [(1, "too-large"), (2, "north/s/2")]


def test_a_debezium_envelope_may_stand_on_a_line() -> None:
    head = HEAD.replace("json", "debezium").replace("order: {sequence: n}", "")
    assert summary(read(head, b'{"op":"c","after":{"id":1},"source":{"lsn":1}}\n')) == [(1, "north/test/1")]


def test_a_line_that_makes_another_record_of_a_row_gives_both_of_its_changes() -> None:
    head = HEAD.replace("json", "debezium").replace("order: {sequence: n}", "")
    rows = read(head, b'{"op":"u","before":{"id":1},"after":{"id":2},"source":{"lsn":1}}\n{"op":"m"}\n')
    assert summary(rows) == [(1, "north/test/1"), (1, "north/test/2"), (2, "")]


def test_avro_is_not_read_from_files() -> None:
    with pytest.raises(ValueError, match="mapping test: files are csv, json or debezium, not avro"):
        FileReader(mapping("gender: g", HEAD.replace("json", "avro")))


def test_columns_that_are_not_there_are_told_and_none_at_all_is_an_error() -> None:
    told: list[tuple[str, str]] = []
    reader = FileReader(mapping("gender: g\nstatus: {path: /st}", FLAT), lambda name, what: told.append((name, what)))
    assert summary(list(reader.rows(BytesIO(b"id,st,Mary\n1,a,b\n"), "f.csv"))) == [(2, "north/s/1")]
    assert told == [("f.csv", "it has no g, which mapping s reads")]
    with pytest.raises(UnreadableFileError) as caught:
        list(reader.rows(BytesIO(b"7,Mary\n8,John\n"), "f.csv"))
    assert "f.csv:1: it has none of the columns that mapping s reads (g, id, st): the first line must" in str(caught.value)
    assert "Mary" not in str(caught.value)
