"""`singleview check`."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.text import Text

from connectors.mappings import Checked
from connectors.mappings import check as check_mapping
from connectors.registry import ConfluentRegistry
from streams.app.change_lines import change_lines, shown
from streams.app.config import Configuration
from streams.app.console import UsageError, WorkError, out, print_json


def check(mapping: Path, samples: list[Path], config: Path | None, *, as_json: bool) -> None:
    """Validates a mapping and shows what samples become.

    Raises UsageError for a mapping or file that cannot be used, WorkError if the mapping would reject a sample.
    """
    registry = ConfluentRegistry(Configuration.load(config).registry_settings) if config else _NoRegistry(mapping)
    report = check_mapping(mapping, samples, registry)
    if as_json:
        print_json(
            {
                "source": report.source,
                "problems": [str(problem) for problem in report.problems],
                "unfound": [unfound._asdict() for unfound in report.unfound],
                "events": [event._asdict() for event in report.events],
            }
        )
    else:
        for event in report.events:
            _print_event(event)
        for unfound in report.unfound:
            out.print(f"[yellow]not found[/]: {escape(shown(str(unfound)))}", soft_wrap=True)
    if report.problems:
        raise UsageError("\n".join(map(str, report.problems)))
    if not report.fine:
        rejected = sum(bool(event.reason) for event in report.events)
        raise WorkError(f"{rejected} of {len(report.events)} samples would be dead letters")
    if not as_json:
        out.print(f"[green]{escape(str(mapping))}: fine[/] (source {report.source})", soft_wrap=True)


def _print_event(event: Checked) -> None:
    if event.reason:
        out.print(f"[red]{escape(event.sample)}: {event.reason}[/]: {escape(event.detail)}", soft_wrap=True)
        return
    out.print(f"[green]{escape(event.sample)}[/]", "" if event.changes else "says nothing: ignored", soft_wrap=True)
    for note in event.notes:
        out.print(f"[yellow]note[/]: {escape(shown(note))}", soft_wrap=True)
    for change in event.changes:
        for line in change_lines(change):
            out.print(Text(line), soft_wrap=True)


class _NoRegistry:
    """Stands where no configuration names a registry. Only an Avro sample ever asks it."""

    def __init__(self, mapping: Path) -> None:
        self._mapping = mapping

    def register(self, subject: str, schema: str) -> int:  # noqa: ARG002 - a check registers nothing
        raise self._refusal()

    def schema(self, schema_id: int) -> str:  # noqa: ARG002 - whichever it is
        raise self._refusal()

    def _refusal(self) -> UsageError:
        return UsageError(
            f"{self._mapping} is of Avro, and the samples' schemas are in a registry:"
            " name the deployment's configuration, which says where that is, with --config"
        )
