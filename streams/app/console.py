"""How commands speak: tables and colour for people, one JSON object for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from streams.app.printable import printable, printable_json, printable_lines


class SafeConsole(Console):
    """Prints nothing that does something to a terminal but what rich itself puts in: colours, and the progress bar."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield (
                segment if segment.control or segment.text == "\n" else segment._replace(text=printable_lines(segment.text))
            )


out = SafeConsole(highlight=False)
err = SafeConsole(stderr=True, highlight=False)


class UsageError(Exception):
    """The command was used wrongly; the message says how to use it. Exit code 2."""


class WorkError(Exception):
    """The work failed; the message says why and what to do. Exit code 1."""


def print_json(value: object) -> None:
    """One JSON object on standard output, and nothing else."""
    sys.stdout.write(printable_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n")


def plain(value: str) -> Text:
    """A value of a source, safe to print: its brackets are no markup, its control characters are shown, not obeyed."""
    return Text(printable(value))


def print_facts(title: str, facts: Mapping[str, str], to: Console = out) -> None:
    """A small table of names and values. Its title stands before it: a table's own is folded to the table's width."""
    to.print(Text(title, style="bold"))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 1))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in facts.items():
        table.add_row(name, value)
    to.print(table)


class Stages:
    """Progress bars of stages that follow each other."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, int] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._progress is None:
            return
        if not self._tasks:
            self._progress.start()  # not before: of work that is refused at once there is nothing to show
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
    progress = Progress(*columns, console=err)
    try:
        yield Stages(progress)
    finally:
        if progress.tasks:
            progress.stop()
