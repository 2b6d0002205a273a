"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.cluster import own_kafka
from benchmarks.contender import ALL, Contender
from benchmarks.engine import EngineWorkload, FailedError, Run, in_turns
from benchmarks.engine import Progress as Tell
from benchmarks.environments import BuildError
from benchmarks.machine import facts
from tests.parts import MissingPartError, PartStartError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")]


@app.callback()
def benchmarks() -> None:
    """Our engine beside its peers on one workload, the whole pipeline, and cost against size."""


@app.command()
def engine(
    runs: Annotated[int, typer.Option(min=1, help="Of each contender, in turns.")] = 3,
    events: Annotated[int, typer.Option(min=1_000, help="A quarter as many keys.")] = 400_000,
    only: Annotated[str, typer.Option(help=f"Some of: {','.join(contender.name for contender in ALL)}.")] = "",
    as_json: Json = False,
) -> None:
    """The same keyed merge, exactly once, by our engine and its peers."""
    chosen = _chosen(only)
    finish({"engine": measure_engine(chosen, runs, events)}, as_json=as_json)


def measure_engine(chosen: Sequence[Contender], runs: int, events: int) -> list[report.Standing]:
    found: list[Run] = []
    with own_kafka() as cluster, telling() as tell:
        workload = EngineWorkload(cluster, events, tell)
        for serial, contender in enumerate(in_turns(chosen, runs)):
            run = workload.run(contender, serial)
            found.append(run)
            _say(f"{contender.title}: " + (f"[red]void:[/] {escape(run.wrong)}" if run.wrong else f"{run.rate:,.0f}/s"))
    standings = report.standings(chosen, found)
    err.print(report.engine_table(standings))
    return standings


def finish(results: dict[str, Any], *, as_json: bool) -> None:
    results = {"machine": facts(), **results}
    path = report.save(results)
    err.print(f" written to {path}")
    if as_json:
        out.print_json(msgspec.json.encode(results).decode())


@contextmanager
def telling() -> Iterator[Tell]:
    """A progress bar for one task after another."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield tell


def _say(text: str) -> None:
    err.print(f" {text}", soft_wrap=True)


def _chosen(only: str) -> list[Contender]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {contender.name: contender for contender in ALL}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"there is no contender {name} (allowed: {', '.join(known)})")
    return [known[name] for name in names] or list(ALL)


def main() -> None:
    try:
        app()
    except (MissingPartError, PartStartError, BuildError, FailedError) as error:
        err.print(f"[bold red]failed:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)
