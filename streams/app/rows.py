"""Rows for people: a table where there is room for it, else one below the other, so that no word is broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.app.console import out

UNBOUNDED = 10_000
"""A width no row has."""


class Column(NamedTuple):
    """One column."""

    name: str
    style: str = ""
    justify: Literal["left", "right"] = "left"


def print_rows(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[Text]], note: str = "", to: Console = out
) -> None:
    """Prints rows under their title, with a note behind them. An empty first cell repeats the one above it."""
    if title:
        to.print(Text(title, style="bold"))
    table = _table(columns, rows)
    if Measurement.get(to, to.options.update(width=UNBOUNDED), table).minimum <= to.width:
        to.print(table)
    else:
        _print_below_each_other(columns, rows, to)
    if note:
        to.print(Text(note, style="dim italic"))


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, style, justify in columns:
        table.add_column(name, style=style, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _print_below_each_other(columns: Sequence[Column], rows: Sequence[Sequence[Text]], to: Console) -> None:
    """A row is its first cell, and the others with their columns' names in a paragraph below it."""
    to.print()
    for first, *others in rows:
        if first.plain:
            to.print(Text(first.plain, style=columns[0].style or "bold"))
        named = [
            Text.assemble((f"{column.name}: ", "dim"), cell)
            for column, cell in zip(columns[1:], others, strict=True)
            if cell.plain
        ]
        to.print(Padding(Text("; ").join(named), (0, 0, 0, 2), expand=False))
    to.print()
