"""`singleview generate`."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from connectors.simulated import estimate_events
from connectors.simulated.files import TRUTH_FILE, FolderError, write_folder
from streams.app.console import UsageError, out, print_facts, print_json, stages
from streams.app.simulation import need_simulation


def generate(customers: int, seed: int, output: Path, *, as_json: bool) -> None:
    """Writes a folder of simulated events and prints how many. Raises UsageError if the folder is not new or empty."""
    need_simulation()
    about = estimate_events(customers)
    with stages(quiet=as_json) as progress:
        try:
            summary = write_folder(customers, seed, output, lambda done: progress("generate", done, max(done, about)))
        except FolderError as error:
            raise UsageError(str(error)) from error
        total = sum(summary.events.values())
        progress("generate", total, total)  # until here the total was an estimate
    if as_json:
        print_json(summary)
        return
    print_facts(f"Events in {output}", {topic: f"{count:,}" for topic, count in summary.events.items()})
    out.print(f" The truth is in {escape(str(output / TRUTH_FILE))}: {summary.records:,} source records.", soft_wrap=True)
    out.print(f" Next:  [bold cyan]singleview publish {escape(str(output))}[/]  sends them to your Kafka.", soft_wrap=True)
