"""Figures as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.table import Table

from benchmarks.contender import NO_PEERS, OURS, Contender
from benchmarks.engine import Run
from benchmarks.paths import RESULTS
from benchmarks.size import Cost


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One contender over all its runs. Medians, except for the extremes; None if every run is void."""

    contender: str
    title: str
    events: int
    runs: int
    rate: float | None  # events a second
    lowest: float | None
    highest: float | None
    ours_is: float | None  # how many times its rate ours is
    cpu_us: float | None  # of its process for one event, start included
    broker_us: float | None
    peak_mb: float | None
    void: list[str]  # what was wrong with runs that do not count


def standings(contenders: Sequence[Contender], runs: Sequence[Run]) -> list[Standing]:
    by_name = {contender.name: [run for run in runs if run.contender == contender.name] for contender in contenders}
    ours = _median([run.rate for run in by_name.get(OURS, []) if not run.wrong])
    return [_standing(contender, by_name[contender.name], ours) for contender in contenders]


def _standing(contender: Contender, runs: Sequence[Run], ours: float | None) -> Standing:
    good = [run for run in runs if not run.wrong]
    rates = [run.rate for run in good]
    rate = _median(rates)
    brokers = [1e6 * run.broker_cpu_seconds / run.events for run in good if run.broker_cpu_seconds is not None]
    return Standing(
        contender=contender.name,
        title=contender.title,
        events=runs[0].events if runs else 0,
        runs=len(good),
        rate=rate,
        lowest=min(rates, default=None),
        highest=max(rates, default=None),
        ours_is=ours / rate if ours and rate else None,
        cpu_us=_median([1e6 * run.cpu_seconds / run.events for run in good]),
        broker_us=_median(brokers),
        peak_mb=_median([run.peak_mb for run in good]),
        void=[run.wrong for run in runs if run.wrong],
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def engine_table(found: Sequence[Standing]) -> Table:
    table = Table(title="The same keyed merge; CPU of an event", title_justify="left")
    for heading in ("", "events", "events/s", "from - to", "ours is", "CPU us", "broker us", "peak MB"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=bool(heading))
    for row in found:
        table.add_row(
            row.title + ("" if not row.void else f" [red]({len(row.void)} runs void)[/]"),
            f"{row.events:,}",
            _number(row.rate),
            f"{_number(row.lowest)} - {_number(row.highest)}",
            _ratio(row),
            _number(row.cpu_us),
            _number(row.broker_us),
            _number(row.peak_mb),
        )
    return table


def _ratio(row: Standing) -> str:
    if row.ours_is is None or row.contender == OURS:
        return ""
    return f"{row.ours_is:.0%}" if row.contender in NO_PEERS else f"{row.ours_is:.2f} x"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def cost_table(costs: Sequence[Cost]) -> Table:
    table = Table(title="CPU us of an event, by customers in the store", title_justify="left")
    sizes = (f"{costs[0].small:,}", f"{costs[0].large:,}") if costs else ("", "")
    for heading in ("", *sizes, "ratio", "MB on disk"):
        table.add_column(heading, justify="right" if heading else "left")
    for cost in costs:
        figures = (f"{cost.small_us:,.1f}", f"{cost.large_us:,.1f}", f"{cost.ratio:.2f}", f"{cost.large_store_mb:,.0f}")
        table.add_row(cost.processor, *figures)
    return table


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: median(run[name] for run in runs) for name in runs[0]}


def figures_table(title: str, figures: Mapping[str, float | str | None]) -> Table:
    """Named figures, one a line."""
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in figures.items():
        shown = value if isinstance(value, str) else "-" if value is None else f"{value:,.1f}"
        table.add_row(name.replace("_", " "), shown)
    return table


def save(results: Mapping[str, Any]) -> Path:
    """Into `benchmarks/results/<date>.json`, which git ignores: add those worth keeping by hand."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    return path
