"""`singleview show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from schemas.canonical import source_of
from schemas.view import VIEW_ATTRIBUTES, CustomerChange, CustomerView, Sourced
from streams.app.console import out, plain, print_json
from streams.app.inspect import Inspection, open_place
from streams.app.phrases import phrase
from streams.app.rows import Column, print_rows

SHOWN_CHANGES = 20
UNION = "union"


def show(what: str, data: Path | None, config: Path | None, *, as_json: bool) -> None:
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
    _print_values(view)
    _print_members(found)
    _print_history(view.customer_id, found.history)


def _print_values(view: CustomerView) -> None:
    records_of = Counter(map(source_of, view.members))
    rows = []
    before = ""
    for name, value in _sourced(view):
        provenance = value.provenance
        text = plain(phrase(value.value))
        if provenance.rule != UNION:
            text.append(f" [{provenance.rule}]", "dim")
        origin = _origin(provenance.record, records_of)
        if provenance.count > 1:
            origin.append(f" +{provenance.count - 1}", "dim")
        rows.append((plain("" if name == before else name), text, origin, plain(_day(provenance.time))))
        before = name
    columns = (Column("attribute", "cyan"), Column("value"), Column("from"), Column("since", "dim"))
    note = f"+n: so many more records state it. In brackets the rule that chose it; a list is a {UNION}."
    print_rows("Unified view", columns, rows, note)


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


def _print_members(found: Inspection) -> None:
    rows = []
    for member in found.members:
        said = ", ".join(name for name in member.attributes.__struct_fields__ if getattr(member.attributes, name))
        rows.append((plain(member.record), plain(str(member.version)), plain(said)))
    columns = (Column("source record", "cyan"), Column("version", justify="right"), Column("says"))
    print_rows(f"Members ({found.view.member_count})", columns, rows)


def _print_history(customer: str, history: list[CustomerChange]) -> None:
    """The newest changes, in the order they were published; those of an id merged into it are named by their event id."""
    title = (
        f"History ({len(history)})" if len(history) <= SHOWN_CHANGES else f"History (last {SHOWN_CHANGES} of {len(history)})"
    )
    rows = []
    for change in history[-SHOWN_CHANGES:]:
        version = str(change.version) if change.customer_id == customer else change.event_id
        cause = f"{change.causes[-1].ref} of {_day(change.event_time)}" if change.causes else _day(change.event_time)
        rows.append((plain(version), plain(_what(change)), plain(cause), plain(_minute(change.processing_time))))
    columns = (Column("version", "cyan"), Column("what changed"), Column("because of"), Column("published (UTC)", "dim"))
    print_rows(title, columns, rows)


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


def _minute(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
