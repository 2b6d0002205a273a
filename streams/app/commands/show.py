"""`singleview show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from schemas.canonical import source_of
from schemas.view import VIEW_ATTRIBUTES, CustomerChange, CustomerView, Sourced
from streams.app.console import out, plain, print_json
from streams.app.inspect import Inspection, open_place
from streams.app.phrases import phrase

SHOWN_CHANGES = 20
UNION = "union"


def show(what: str, data: Path, config: Path | None, *, as_json: bool) -> None:
    """Prints one customer. Raises WorkError if there is none."""
    with open_place(data, config, ("records", "customers"), quiet=as_json) as place:
        found = place.inspect(what)
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
    out.print(f"[bold]Customer [cyan]{view.customer_id}[/][/]  {view.status}, version {view.version}, realm {view.realm}")
    if found.asked != view.customer_id:
        out.print(plain(f"{found.asked} belongs to it"), style="dim")
    if view.aliases:
        out.print(f"[dim]also answers to {', '.join(view.aliases)}[/]")
    out.print(_values(view))
    out.print(_members(found))
    out.print(_history(view.customer_id, found.history))


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _values(view: CustomerView) -> Table:
    table = _table("Unified view")
    table.add_column("attribute", style="cyan", overflow="fold")
    table.add_column("value", overflow="fold")
    table.add_column("from", no_wrap=True)
    table.add_column("since", style="dim", no_wrap=True)
    table.caption = f"+n: so many more records state it. In brackets the rule that chose it; a list is a {UNION}."
    table.caption_justify = "left"
    records_of = Counter(map(source_of, view.members))
    before = ""
    for name, value in _sourced(view):
        provenance = value.provenance
        text = plain(phrase(value.value))
        if provenance.rule != UNION:
            text.append(f" [{provenance.rule}]", "dim")
        origin = _origin(provenance.record, records_of)
        if provenance.count > 1:
            origin.append(f" +{provenance.count - 1}", "dim")
        table.add_row("" if name == before else plain(name), text, origin, _day(provenance.time))
        before = name
    return table


def _origin(record: str, records_of: Counter[str]) -> Text:
    """The source, where it has one record of the customer; the record, where it has more."""
    source = source_of(record)
    return plain(source if records_of[source] == 1 else record.partition("/")[2])


def _sourced(view: CustomerView) -> Iterator[tuple[str, Sourced[Any]]]:
    for name in VIEW_ATTRIBUTES:
        value = getattr(view.attributes, name)
        if isinstance(value, Sourced):
            yield name, value
        elif isinstance(value, dict):
            yield from ((key, element) for key, element in value.items())
        else:
            yield from ((name, element) for element in value or ())


def _members(found: Inspection) -> Table:
    table = _table(f"Members ({found.view.member_count})")
    table.add_column("source record", style="cyan", overflow="fold")
    table.add_column("version", justify="right")
    table.add_column("says", overflow="fold")
    for member in found.members:
        said = ", ".join(name for name in member.attributes.__struct_fields__ if getattr(member.attributes, name))
        table.add_row(plain(member.record), str(member.version), said)
    return table


def _history(customer: str, history: list[CustomerChange]) -> Table:
    """The newest changes; those of an id that was merged into it are named by their event id."""
    title = (
        f"History ({len(history)})" if len(history) <= SHOWN_CHANGES else f"History (last {SHOWN_CHANGES} of {len(history)})"
    )
    table = _table(title)
    table.add_column("version", style="cyan", overflow="fold")
    table.add_column("what changed", overflow="fold")
    table.add_column("because of", overflow="fold")
    table.add_column("when", style="dim", no_wrap=True)
    for change in history[-SHOWN_CHANGES:]:
        version = str(change.version) if change.customer_id == customer else change.event_id
        cause = change.causes[-1].ref if change.causes else ""
        table.add_row(version, _what(change), plain(cause), _day(change.event_time))
    return table


def _what(change: CustomerChange) -> str:
    """`Create`, `AttributeValueChange: emails, phones`, `Merge into <id>`."""
    kind = change.event_type.removeprefix("Customer").removesuffix("Event")
    if kind == "Create":
        return kind
    if change.merged_into:
        return f"{kind} into {change.merged_into}"
    return f"{kind}: {', '.join(part.attribute for part in change.changes)}"


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")
