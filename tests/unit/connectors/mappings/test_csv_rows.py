from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings.csv_rows import MAX_LINES, UnreadableFileError, bounded_lines, csv_rows
from streams.engine.contract import RejectedError


def rows(data: bytes, delimiter: str = ",", limit: int = 1_000) -> list[tuple[int, dict[str, str | None] | str]]:
    """Every row with its line: the document, or the reason of its rejection."""
    _, found = csv_rows(io.BytesIO(data), "f.csv", delimiter, limit)
    return [(line, row.reason if isinstance(row, RejectedError) else row) for line, row in found]


def test_names_and_values_are_trimmed_and_an_empty_cell_is_null() -> None:
    assert rows(b'\xef\xbb\xbfa, b , c\r\n 1 , "x, y"," "\r\n') == [(2, {"a": "1", "b": "x, y", "c": None})]


def test_another_delimiter_may_separate() -> None:
    assert rows(b"a;b\n1,5;2\n", ";") == [(2, {"a": "1,5", "b": "2"})]
    assert rows(b"a\tb\n\t2\n", "\t") == [(2, {"a": None, "b": "2"})]


def test_empty_lines_are_passed_over_and_lines_are_counted_over_line_breaks_in_quotes() -> None:
    assert rows(b'a,b\n\n1,"x\ny"\n \n2,z') == [(3, {"a": "1", "b": "x\ny"}), (6, {"a": "2", "b": "z"})]


def test_a_column_without_a_name_is_passed_over() -> None:
    assert rows(b"a,,b,\n1,2,3,4\n") == [(2, {"a": "1", "b": "3"})]


@pytest.mark.parametrize("bad", [b"1", b"1,2,3", b'"1"x,2', b"1,\xff", b"1,2" + b" " * 1_000])
def test_a_bad_row_is_rejected_alone(bad: bytes) -> None:
    found = rows(b"a,b\n0,0\n" + bad + b"\n9,9\n")
    assert [line for line, _ in found] == [2, 3, 4]
    assert found[1][1] == ("too-large" if len(bad) > 1_000 else "malformed-csv")
    assert found[2][1] == {"a": "9", "b": "9"}


@pytest.mark.parametrize("after", [3, MAX_LINES * 2])
def test_a_quote_that_is_never_closed_costs_one_row(after: int) -> None:
    found = rows(b'a,b\n1,"x\n' + b"2,y\n" * after)
    assert found[0] == (2, "malformed-csv")
    assert found[1:] == [(line, {"a": "2", "b": "y"}) for line in range(3, 3 + after)]


def test_a_long_line_inside_quotes_is_rejected_for_itself() -> None:
    assert rows(b'a,b\n1,"x\n' + b"y" * 2_000 + b"\n2,z\n") == [
        (2, "too-large"),
        (3, "too-large"),
        (4, {"a": "2", "b": "z"}),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "f.csv:1: there is no header"),
        (b" , \n1,2\n", "f.csv:1: there is no header"),
        (b"a,b,a\n", "f.csv:1: two columns have one name"),
        (b"a,\xff\n", "f.csv:1: the header is not CSV in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "f.csv:1: the header is not CSV in UTF-8"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        rows(data)
    assert str(caught.value).startswith(said)


def test_a_line_takes_bounded_memory() -> None:
    assert list(bounded_lines(io.BytesIO(b"\xef\xbb\xbfab\n" + b"x" * 100 + b"\ny"), 10)) == [b"ab\n", b"x" * 11, b"y"]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip) | st.just("x\ny")


@given(st.lists(st.tuples(CELL, CELL), max_size=20))
def test_what_a_csv_writer_writes_is_read_back(written: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b"))
    writer.writerows(written)
    assert [row for _, row in rows(text.getvalue().encode())] == [{"a": a or None, "b": b or None} for a, b in written]


@given(st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\xff", b"\0", b" "]), max_size=60).map(b"".join))
def test_any_bytes_are_rows_or_rejections_and_every_line_is_seen(data: bytes) -> None:
    found = rows(b"a,b\n" + data, limit=20)
    lines = [line for line, _ in found]
    assert lines == sorted(set(lines))
    assert all(isinstance(row, str) or row.keys() == {"a", "b"} for _, row in found)
    plain = [number for number, line in enumerate(data.split(b"\n"), 2) if line == b"a,a"]
    if b'"' not in data:
        assert set(plain) <= set(lines)
