"""`singleview why`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from schemas.canonical import realm_of
from streams.app.console import UsageError, WorkError, out, plain, print_json
from streams.app.inspect import open_place
from streams.app.rows import Column, print_rows
from streams.engine.contract import Store
from streams.identity.explain import Reason, SharedKey, Why, is_known, realms, why_apart
from streams.identity.explain import why as explain
from streams.identity.factory import ShippedMatcher
from streams.identity.model import Comparison, Thresholds

CENTIBITS = 100


def why(first: str, second: str, data: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Prints why two records are, or are not, one customer. Raises WorkError if either was never seen."""
    for record in (first, second):
        if record.count("/") < 2:
            raise UsageError(f"{record} is no source record: name it realm/source/id")
    with open_place(data, config, ("identity",), quiet=as_json) as place:
        stores = list(place.tables.partitions("identity"))
        answer = _answer(stores, first, second)
        unknown = [record for record in (first, second) if not is_known(stores, record)]
        if unknown:
            raise WorkError("; ".join(_never_seen(stores, record) for record in unknown))
    if as_json:
        print_json(as_object(answer))
    else:
        _print(answer)


def _never_seen(stores: Sequence[Store], record: str) -> str:
    """Names the record, and where one of its source and id was seen after all."""
    realm, _, rest = record.partition("/")
    others = [other for other in realms(stores) if is_known(stores, f"{other}/{rest}")]
    elsewhere = f"; there is {' and '.join(f'{other}/{rest}' for other in others)}" if others else ""
    return f"{record} was never seen in realm {realm}{elsewhere}"


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
    reason = answer.reason.value
    if answer.reason is Reason.OTHER_REALMS:
        reason += " " + ", ".join(f"{record} is of {realm_of(record)}" for record in answer.records) + "."
    out.print(plain(reason), "\n", sep="")
    if answer.comparison and answer.thresholds:
        _print_levels(answer.comparison, answer.thresholds)
    if answer.shared:
        _print_keys(answer)
    if answer.chain:
        _print_chain(answer)


def _print_levels(comparison: Comparison, thresholds: Thresholds) -> None:
    rows = []
    for level in comparison.levels:
        colour = "green" if level.weight > 0 else "red" if level.weight < 0 else "dim"
        rows.append((Text(level.attribute), Text(level.level), Text(_signed(level.weight), style=colour)))
    total = (("score", comparison.score), ("match from", thresholds.match), ("review from", thresholds.review))
    rows += [(Text(name, style="bold"), Text(), Text(_signed(weight), style="bold")) for name, weight in total]
    columns = (Column("attribute"), Column("level"), Column("weight", justify="right"))
    print_rows("Compared, in bits: +1 is twice as likely one customer", columns, rows)


def _signed(centibits: int) -> str:
    return f"{centibits / CENTIBITS:+.2f}"


def _print_keys(answer: Why) -> None:
    rows = [(plain(key.kind), Text(str(key.holders)), Text(_state(key))) for key in answer.shared]
    print_rows("Match keys both hold", (Column("kind"), Column("holders", justify="right"), Column("state")), rows)


def _state(key: SharedKey) -> str:
    if key.links:
        return "links its holders"
    state = "on" if key.on else "off: too many holders"
    return f"{state}, generic" if key.generic else state


def _print_chain(answer: Why) -> None:
    rows = []
    for step in answer.chain:
        by = "a linking value" if step.score is None else _signed(step.score)
        rows.append((plain(step.record), plain(step.other), Text(by)))
    print_rows("Connected through", (Column("record"), Column("with"), Column("by", justify="right")), rows)
