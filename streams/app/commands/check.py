"""`singleview check`."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.markup import escape
from rich.syntax import Syntax

from connectors.mappings import check as check_mapping
from connectors.registry import ConfluentRegistry
from streams.app.config import Configuration
from streams.app.console import UsageError, WorkError, out, print_json


def check(mapping: Path, samples: list[Path], config: Path | None, *, as_json: bool) -> None:
    """Validates a mapping and shows what samples become.

    Raises UsageError for a mapping or file that cannot be used, WorkError if the mapping would reject a sample.
    """
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
                out.print(f"[red]{escape(event.sample)}: {event.reason}[/]: {escape(event.detail)}", soft_wrap=True)
                continue
            out.print(f"[green]{escape(event.sample)}[/]", "" if event.changes else "says nothing: ignored", soft_wrap=True)
            for change in event.changes:
                out.print(Syntax(msgspec.json.format(msgspec.json.encode(change), indent=2).decode(), "json"))
    if report.problems:
        raise UsageError("\n".join(map(str, report.problems)))
    if not report.fine:
        rejected = sum(bool(event.reason) for event in report.events)
        raise WorkError(f"{rejected} of {len(report.events)} samples would be dead letters")
    if not as_json:
        out.print(f"[green]{escape(str(mapping))}: fine[/] (source {report.source})", soft_wrap=True)
