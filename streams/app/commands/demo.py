"""`singleview demo`."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from streams.app.console import out, print_facts, print_json, stages
from streams.app.demo import DemoResult, clear, run_demo
from streams.app.placing import cores
from streams.app.simulation import need_simulation


def demo(customers: int, seed: int, data: Path, *, fresh: bool, as_json: bool) -> None:
    """Runs the demo and prints what it found. Raises ConfigurationError when the folder holds another one."""
    need_simulation()
    if fresh:
        clear(data)
    with stages(quiet=as_json) as progress:
        result = run_demo(data, customers, seed, progress, processes=cores())
    if as_json:
        print_json(as_object(result))
    else:
        _print(result, data)


def as_object(result: DemoResult) -> dict[str, object]:
    """The result for programs."""
    summary = result.summary
    return {
        "events": summary.events,
        "records": summary.records,
        "customers": summary.customers,
        "merges": summary.merges,
        "splits": summary.splits,
        "notifications": summary.notifications,
        "stale": summary.stale,
        "dead_letters": summary.dead_letters,
        "seconds": round(result.seconds, 3),
        "events_per_second": round(result.events_per_second, 1),
        "precision": round(result.quality.precision, 5),
        "recall": round(result.quality.recall, 5),
        "f1": round(result.quality.f1, 5),
        "example": result.example,
    }


def _print(result: DemoResult, data: Path) -> None:
    summary, quality = result.summary, result.quality
    letters = ", ".join(f"{count} {reason}" for reason, count in summary.dead_letters.items())
    out.print()
    print_facts(
        "Five source systems, one customer view",
        {
            "events": f"{summary.events:,}",
            "source records": f"{summary.records:,}",
            "customers": f"[bold green]{summary.customers:,}[/]",
            "merges": f"{summary.merges:,}",
            "splits": f"{summary.splits:,}",
            "change notifications": f"{summary.notifications:,}",
            "stale events": f"{summary.stale:,}",
            "dead letters": f"{sum(summary.dead_letters.values()):,}",
        },
    )
    if letters:
        out.print(f"   [dim]{letters}[/]")
    out.print()
    facts = {"precision": f"{quality.precision:.4f}", "recall": f"{quality.recall:.4f}", "F1": f"{quality.f1:.4f}"}
    print_facts("Compared with the truth (pairs of records)", facts)
    out.print()
    if result.events_now:
        out.print(
            f" {result.events_now:,} events in {result.seconds:.1f} s: [bold]{result.events_per_second:,.0f} events/s[/]"
        )
    where = "" if data == Path("demo-data") else f" --data {data}"
    next_step = escape(f".venv/bin/singleview show {result.example}{where}")
    out.print(f" Now look at one customer:  [bold cyan]{next_step}[/]", soft_wrap=True)  # whole, to be copied
