"""Rows are a table where it fits, and no word of them is broken where it does not."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from streams.app.console import SafeConsole
from streams.app.rows import Column, print_rows

COLUMNS = (Column("attribute", "cyan"), Column("value"), Column("weight", justify="right"))
ROWS = [
    ("identifications", "customer_number crm 5", "12"),
    ("", "passport IE PA1234567", "3"),
    ("address", "15 Yvonne Gardens, Aberdeen [source_priority]", ""),
]


def told(width: int) -> str:
    file = io.StringIO()
    print_rows("Title", COLUMNS, [tuple(map(Text, row)) for row in ROWS], "A note.", SafeConsole(file=file, width=width))
    return file.getvalue()


@pytest.mark.parametrize("width", range(20, 100, 7))
def test_every_word_is_whole_and_no_line_is_too_long(width: int) -> None:
    words = {word for line in told(width).splitlines() for word in line.replace(";", " ").split()}
    assert words >= {word for row in ROWS for cell in row for word in cell.split()}
    assert max(map(len, told(width).splitlines())) <= width


def test_where_there_is_room_it_is_a_table() -> None:
    lines = [line.rstrip() for line in told(80).splitlines()]
    assert lines[0] == "Title"
    assert lines[2] == " attribute        value                                          weight"
    assert lines[4] == " identifications  customer_number crm 5                              12"


def test_where_there_is_none_each_cell_has_its_column_s_name() -> None:
    assert [line.rstrip() for line in told(40).splitlines()] == [
        "Title",
        "",
        "identifications",
        "  value: customer_number crm 5; weight:",
        "  12",
        "  value: passport IE PA1234567; weight:",
        "  3",
        "address",
        "  value: 15 Yvonne Gardens, Aberdeen",
        "  [source_priority]",
        "",
        "A note.",
    ]
