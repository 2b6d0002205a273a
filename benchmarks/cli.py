"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.cluster import own_kafka, own_registry
from benchmarks.contender import ALL, WARMING, Contender
from benchmarks.engine import EngineWorkload, FailedError, Run, in_turns
from benchmarks.engine import Progress as Tell
from benchmarks.environments import BuildError
from benchmarks.machine import facts
from benchmarks.paths import own_folder
from benchmarks.pipeline import PipelineWorkload, Settings
from benchmarks.population import PLANTS
from benchmarks.restore import measure_restore
from benchmarks.size import measure_cost, needed
from benchmarks.soak import Soak
from tests.parts import MissingPartError, PartStartError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
DEFAULTS = Settings()
WARMING_EVENTS = 400_000
"""A broker that has just started is slow: its code is not compiled yet."""
out = Console()
err = Console(stderr=True, width=None if sys.stderr.isatty() else 120)

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


@app.command()
def pipeline(
    runs: Annotated[int, typer.Option(min=1)] = 1,
    customers: Annotated[int, typer.Option(min=100, help="Of the first load.")] = DEFAULTS.customers,
    updates: Annotated[int, typer.Option(min=1_000, help="Of the second phase.")] = DEFAULTS.updates,
    rate: Annotated[int, typer.Option(min=1, help="Events a second, where latency is measured.")] = DEFAULTS.rate,
    seconds: Annotated[int, typer.Option(min=10, help="Of that rate.")] = DEFAULTS.seconds,
    partitions: Annotated[int, typer.Option(min=1, help="Of every topic.")] = DEFAULTS.partitions,
    rehearsal: Annotated[
        int, typer.Option(min=0, help="Seconds, at most, until the broker has compiled itself; 0: none.")
    ] = DEFAULTS.rehearsal,
    as_json: Json = False,
) -> None:
    """The whole pipeline: rates of a first load and of updates, and latency at a fixed rate."""
    finish(
        {"pipeline": measure_pipeline(Settings(customers, updates, rate, seconds, partitions, rehearsal), runs)},
        as_json=as_json,
    )


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=1, help="Of steady load, after a first load.")] = 30.0,
    customers: Annotated[int, typer.Option(min=100)] = DEFAULTS.customers,
    rate: Annotated[int, typer.Option(min=1, help="Updates a second.")] = 200,
    as_json: Json = False,
) -> None:
    """The whole pipeline for a long time: memory, open files, and trouble in the log."""
    with own_kafka() as cluster, own_registry() as registry, own_folder("soak") as folder, telling() as tell:
        found = Soak(cluster, registry, folder, Settings(customers=customers, rate=rate), tell).soak(minutes)
    err.print(report.figures_table("A steady load", found))
    finish({"soak": found}, as_json=as_json)


@app.command()
def size(
    runs: Annotated[int, typer.Option(min=1, help="Rounds over both sizes.")] = 3,
    events: Annotated[int, typer.Option(min=1_000, help="Of a round.")] = 20_000,
    small: Annotated[int, typer.Option(min=1_000, help="Customers.")] = 100_000,
    large: Annotated[int, typer.Option(min=1_000, help="Customers.")] = 2_000_000,
    restored: Annotated[int, typer.Option(min=10_000, help="Table records of the restore.")] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Cost of an event with a small and a large store, and the rate of a restore."""
    if needed(events, runs) > small:
        raise typer.BadParameter(f"--small must be at least {needed(events, runs):,}: each customer is updated once")
    finish(measure_size(runs, events, (small, large), restored), as_json=as_json)


@app.command(name="all")
def everything(runs: Annotated[int, typer.Option(min=1)] = 3, as_json: Json = False) -> None:
    """All of it with defaults: about half an hour."""
    results: dict[str, Any] = {"engine": measure_engine(ALL, runs, 400_000)}
    results["pipeline"] = measure_pipeline(DEFAULTS, 1)
    results |= measure_size(runs, 20_000, (max(100_000, needed(20_000, runs)), 2_000_000), 1_000_000)
    finish(results, as_json=as_json)


def measure_pipeline(settings: Settings, runs: int) -> list[dict[str, float]]:
    found = []
    for _ in range(runs):
        with own_kafka() as cluster, own_registry() as registry, own_folder("pipeline") as folder, telling() as tell:
            EngineWorkload(cluster, WARMING_EVENTS, tell).run(WARMING, 0)
            found.append(PipelineWorkload(cluster, registry, folder, settings, tell).run())
    err.print(report.figures_table("The whole pipeline", report.medians(found)))
    return found


def measure_size(runs: int, events: int, sizes: tuple[int, int], restored: int) -> dict[str, Any]:
    with own_kafka() as cluster, telling() as tell:
        costs = [measure_cost(cluster, plant(), sizes, events, runs, tell) for plant in PLANTS]
    err.print(report.cost_table(costs))
    with own_kafka() as cluster, telling() as tell:
        rates = [measure_restore(cluster, restored, serial, tell) for serial in range(runs)]
    err.print(report.figures_table("Restore", {"table records a second": median(rates)}))
    return {"size": costs, "restore_records_per_second": rates}


def measure_engine(chosen: Sequence[Contender], runs: int, events: int) -> list[report.Standing]:
    found: list[Run] = []
    with own_kafka() as cluster, telling() as tell:
        workload = EngineWorkload(cluster, events, tell)
        workload.run(WARMING, runs * len(chosen))
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
