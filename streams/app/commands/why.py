"""`singleview why`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from schemas.canonical import realm_of
from streams.app.console import UsageError, WorkError, out, plain, print_json
from streams.app.inspect import open_place
from streams.engine.contract import Store
from streams.identity.explain import Reason, SharedKey, Why, why_apart
from streams.identity.explain import why as explain
from streams.identity.factory import ShippedMatcher
from streams.identity.model import Comparison, Thresholds

CENTIBITS = 100


def why(first: str, second: str, data: Path, config: Path | None, *, as_json: bool) -> None:
    """Prints why two records are, or are not, one customer. Raises WorkError if either was never seen."""
    for record in (first, second):
        if record.count("/") < 2:
            raise UsageError(f"{record} is no source record: name it realm/source/id")
    with open_place(data, config, ("identity",), quiet=as_json) as place:
        answer = _answer(list(place.tables.partitions("identity")), first, second)
    if answer.reason is Reason.UNKNOWN:
        realms = " and ".join(dict.fromkeys((realm_of(first), realm_of(second))))
        raise WorkError(f"{first} and {second}: {Reason.UNKNOWN.value} (looked in realm {realms})")
    if as_json:
        print_json(as_object(answer))
    else:
        _print(answer)


def _answer(stores: Sequence[Store], first: str, second: str) -> Why:
    """Of two records of one realm, that of the partition that knows both."""
    if realm_of(first) != realm_of(second):
        return why_apart(stores, first, second)
    answers = (explain(store, ShippedMatcher(), first, second) for store in stores)
    unknown = Why((first, second), (None, None), same_customer=False, reason=Reason.UNKNOWN)
    return next((answer for answer in answers if answer.reason is not Reason.UNKNOWN), unknown)


def as_object(answer: Why) -> dict[str, object]:
    """The answer for programs. Scores in bits: each is one factor of two in likelihood."""
    found: dict[str, object] = {
        "records": answer.records,
        "customers": answer.customers,
        "same_customer": answer.same_customer,
        "reason": answer.reason.name,
        "explanation": answer.reason.value,
        "shared_keys": [key._asdict() for key in answer.shared],
        "chain": [step._replace(score=_bits(step.score))._asdict() for step in answer.chain],  # type: ignore[arg-type]
    }
    if answer.comparison and answer.thresholds:
        found["score"] = _bits(answer.comparison.score)
        found["match_threshold"] = _bits(answer.thresholds.match)
        found["review_threshold"] = _bits(answer.thresholds.review)
        found["levels"] = [level._replace(weight=_bits(level.weight))._asdict() for level in answer.comparison.levels]  # type: ignore[arg-type]
        found["conflicts"] = [conflict.attribute for conflict in answer.comparison.conflicts]
    return found


def _bits(centibits: int | None) -> float | None:
    return None if centibits is None else centibits / CENTIBITS


def _print(answer: Why) -> None:
    verdict = "[bold green]one customer[/]" if answer.same_customer else "[bold yellow]two customers[/]"
    out.print()
    first, second = map(plain, answer.records)
    out.print(Text.assemble(first, " and ", second, ": ", Text.from_markup(verdict)))
    for record, customer in zip(answer.records, answer.customers, strict=True):
        out.print(Text.assemble("  ", (str(plain(record)), "dim"), " belongs to ", (customer or "no customer", "cyan")))
    out.print(f"{answer.reason.value}\n")
    if answer.comparison and answer.thresholds:
        out.print(_levels(answer.comparison, answer.thresholds))
    if answer.shared:
        out.print(_keys(answer))
    if answer.chain:
        out.print(_chain(answer))


def _levels(comparison: Comparison, thresholds: Thresholds) -> Table:
    table = Table(title="Compared, in bits: +1 is twice as likely one customer", title_justify="left", title_style="bold")
    table.add_column("attribute")
    table.add_column("level")
    table.add_column("weight", justify="right")
    for level in comparison.levels:
        colour = "green" if level.weight > 0 else "red" if level.weight < 0 else "dim"
        table.add_row(level.attribute, level.level, f"[{colour}]{level.weight / CENTIBITS:+.2f}[/]")
    table.add_section()
    table.add_row("[bold]score[/]", "", f"[bold]{comparison.score / CENTIBITS:+.2f}[/]")
    table.add_row("match from", "", f"{thresholds.match / CENTIBITS:+.2f}")
    table.add_row("review from", "", f"{thresholds.review / CENTIBITS:+.2f}")
    return table


def _keys(answer: Why) -> Table:
    table = Table(title="Match keys both hold", title_justify="left", title_style="bold")
    table.add_column("kind")
    table.add_column("holders", justify="right")
    table.add_column("state")
    for key in answer.shared:
        table.add_row(key.kind, str(key.holders), _state(key))
    return table


def _state(key: SharedKey) -> str:
    if key.links:
        return "links its holders"
    state = "on" if key.on else "off: too many holders"
    return f"{state}, generic" if key.generic else state


def _chain(answer: Why) -> Table:
    table = Table(title="Connected through", title_justify="left", title_style="bold")
    table.add_column("record")
    table.add_column("with")
    table.add_column("by", justify="right")
    for step in answer.chain:
        table.add_row(
            plain(step.record),
            plain(step.other),
            "a linking value" if step.score is None else f"{step.score / CENTIBITS:+.2f}",
        )
    return table
