"""How commands speak: tables and colour for people, one JSON object for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class UsageError(Exception):
    """The command was used wrongly; the message says how to use it. Exit code 2."""


class WorkError(Exception):
    """The work failed; the message says why and what to do. Exit code 1."""


def print_json(value: object) -> None:
    """One JSON object on standard output, and nothing else."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def plain(value: str) -> Text:
    """A value of a source, safe to print: its brackets are no markup, its control characters do nothing to a terminal."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value))


def print_facts(title: str, facts: Mapping[str, str]) -> None:
    """A small table of names and values. Its title stands before it: a table's own is folded to the table's width."""
    out.print(Text(title, style="bold"))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 1))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in facts.items():
        table.add_row(name, value)
    out.print(table)


class Stages:
    """Progress bars of stages that follow each other."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, int] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._progress is None:
            return
        if stage not in self._tasks:
            self._tasks[stage] = int(self._progress.add_task(stage, total=total))
        self._progress.update(self._tasks[stage], completed=done, total=total)  # type: ignore[arg-type]


@contextmanager
def stages(*, quiet: bool) -> Iterator[Stages]:
    """Progress on standard error while the block runs; none where `quiet` or nobody is looking."""
    if quiet:
        yield Stages(None)
        return
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress:
        yield Stages(progress)
