"""`singleview show`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from schemas.canonical import source_of
from schemas.view import VIEW_ATTRIBUTES, CustomerChange, CustomerView, Sourced
from streams.app.console import out, print_json
from streams.app.inspect import Folder, Inspection

SHOWN_CHANGES = 20


def show(what: str, data: Path, *, as_json: bool) -> None:
    """Prints one customer. Raises WorkError if there is none."""
    with Folder(data) as folder:
        found = folder.inspect(what)
    if as_json:
        print_json(
            {
                "view": found.view,
                "members": [member._asdict() for member in found.members],
                "history": found.history,
            }
        )
        return
    _print(found)


def _print(found: Inspection) -> None:
    view = found.view
    out.print()
    title = f"[bold]Customer [cyan]{view.customer_id}[/][/]  {view.status}, version {view.version}, realm {view.realm}"
    out.print(title)
    if found.asked != view.customer_id:
        out.print(f"[dim]{found.asked} belongs to it[/]")
    if view.aliases:
        out.print(f"[dim]also answers to {', '.join(view.aliases)}[/]")
    out.print(_values(view))
    out.print(_members(found))
    out.print(_history(found.history))


def _values(view: CustomerView) -> Table:
    table = Table(title="Unified view", title_justify="left", title_style="bold")
    for column in ("attribute", "value", "from", "when", "rule"):
        table.add_column(column, overflow="fold")
    for name, value in _sourced(view):
        provenance = value.provenance
        others = f" +{provenance.count - 1}" if provenance.count > 1 else ""
        table.add_row(name, _text(value.value), provenance.record + others, _date(provenance.time), provenance.rule)
    return table


def _sourced(view: CustomerView) -> Iterator[tuple[str, Sourced[Any]]]:
    for name in VIEW_ATTRIBUTES:
        value = getattr(view.attributes, name)
        if isinstance(value, Sourced):
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", element) for key, element in value.items())
        else:
            yield from ((name, element) for element in value or ())


def _text(value: Any) -> str:
    """The fields of a value that say something, in one line."""
    if not isinstance(value, msgspec.Struct):
        return str(value)
    fields = {name: getattr(value, name) for name in value.__struct_fields__ if name != "raw"}
    return ", ".join(f"{name} {found}" for name, found in fields.items() if found not in {"", None, False})


def _members(found: Inspection) -> Table:
    table = Table(title=f"Members ({found.view.member_count})", title_justify="left", title_style="bold")
    table.add_column("source record")
    table.add_column("system")
    table.add_column("version", justify="right")
    table.add_column("says")
    for member in found.members:
        said = ", ".join(name for name in member.attributes.__struct_fields__ if getattr(member.attributes, name))
        table.add_row(member.record, source_of(member.record), str(member.version), said)
    return table


def _history(history: list[CustomerChange]) -> Table:
    table = Table(title=f"History ({len(history)})", title_justify="left", title_style="bold")
    for column in ("event", "type", "changed", "cause", "when"):
        table.add_column(column, overflow="fold")
    for change in history[-SHOWN_CHANGES:]:
        changed = ", ".join(part.attribute for part in change.changes) or change.merged_into or ""
        cause = change.causes[-1].ref if change.causes else ""
        table.add_row(change.event_id, change.event_type, changed, cause, _date(change.event_time))
    return table


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
