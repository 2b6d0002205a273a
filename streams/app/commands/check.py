"""`singleview check`."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.syntax import Syntax

from connectors.mappings import check as check_mapping
from connectors.registry import ConfluentRegistry
from streams.app.config import Configuration
from streams.app.console import WorkError, out, print_json


def check(mapping: Path, samples: list[Path], config: Path | None, *, as_json: bool) -> None:
    """Validates a mapping and shows what samples become. Raises WorkError if anything is wrong with either."""
    registry = ConfluentRegistry(Configuration.load(config).registry_settings) if config else None
    report = check_mapping(mapping, samples, registry)
    if as_json:
        print_json(
            {
                "source": report.source,
                "problems": [str(problem) for problem in report.problems],
                "events": [event._asdict() for event in report.events],
            }
        )
    else:
        for event in report.events:
            if event.reason:
                out.print(f"[red]{event.sample}: {event.reason}[/]: {event.detail}", markup=True)
                continue
            out.print(f"[green]{event.sample}[/]", "" if event.changes else "says nothing: ignored")
            for change in event.changes:
                out.print(Syntax(msgspec.json.format(msgspec.json.encode(change), indent=2).decode(), "json"))
    if not report.fine:
        rejected = sum(bool(event.reason) for event in report.events)
        problems = "\n".join(map(str, report.problems))
        raise WorkError(problems or f"{rejected} of {len(report.events)} samples would be dead letters")
    if not as_json:
        out.print(f"[green]{mapping}: fine[/] (source {report.source})")
