"""`singleview generate`."""

from __future__ import annotations

from pathlib import Path

from connectors.simulated import estimate_events
from connectors.simulated.files import write_folder
from streams.app.console import out, print_facts, print_json, stages


def generate(customers: int, seed: int, output: Path, *, as_json: bool) -> None:
    """Writes a folder of simulated events and prints how many."""
    about = estimate_events(customers)
    with stages(quiet=as_json) as progress:
        summary = write_folder(customers, seed, output, lambda done: progress("generate", done, max(done, about)))
    if as_json:
        print_json(summary)
        return
    print_facts(f"Events in {output}", {topic: f"{count:,}" for topic, count in summary.events.items()})
    out.print(f" The truth is in {output / 'truth.csv'}: {summary.records:,} source records.")
    out.print(f" Next:  [bold cyan]singleview publish {output}[/]  sends them to your Kafka.")
