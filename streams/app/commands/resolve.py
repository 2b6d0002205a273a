"""`singleview resolve`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape as markup_escape

from connectors.mappings import load_mapping
from streams.app.console import UsageError, err, out, print_facts, print_json, stages
from streams.app.resolve import STANDARD_OUTPUT, Resolved, resolve_files
from streams.app.truth import read_truth


def resolve(
    files: list[Path],
    mapping: list[Path],
    output: Path,
    truth: Path | None,
    rejects: Path | None = None,
    *,
    escape: bool = True,
    as_json: bool,
) -> None:
    """Writes which customer each record is, and prints how many there are and, with a truth, how right that is.

    What people read is on standard error where the customers are on standard output.
    Raises DocumentError, UsageError and WorkError.
    """
    if output == STANDARD_OUTPUT and as_json:
        raise UsageError("--output - and --json both want standard output: name a file")
    mappings = [load_mapping(path) for path in mapping]
    known = read_truth(truth) if truth else None
    with stages(quiet=as_json) as progress:
        result = resolve_files(
            files,
            mappings,
            output,
            truth=known,
            rejects=rejects,
            escape=escape,
            also_read=[*mapping, *([truth] if truth else [])],
            progress=progress,
            warn=_warn,
        )
    if as_json:
        print_json(as_object(result, output))
    else:
        _print(result, output, rejects, err if output == STANDARD_OUTPUT else out)


def as_object(result: Resolved, output: Path) -> dict[str, object]:
    """The result for programs. `precision` and so on only with a truth."""
    found: dict[str, object] = {
        "rows": result.rows,
        **result.counts._asdict(),
        "rejected": result.rejected,
        "rejects": [reject._asdict() for reject in result.rejects],
        "seconds": round(result.seconds, 3),
        "records_per_second": round(result.records_per_second, 1),
        "output": str(output),
    }
    if result.verdict:
        quality, unlisted = result.verdict
        found |= {
            "precision": round(quality.precision, 5),
            "recall": round(quality.recall, 5),
            "f1": round(quality.f1, 5),
            "true_pairs": quality.true_pairs,
            "found_pairs": quality.found_pairs,
            "right_pairs": quality.right_pairs,
            "missing": quality.missing,
            "unlisted": unlisted,
        }
    return found


def _warn(name: str, what: str) -> None:
    err.print(f"[yellow]note:[/] {markup_escape(name)}: {markup_escape(what)}", soft_wrap=True)


def _print(result: Resolved, output: Path, rejects: Path | None, to: Console) -> None:
    counts = result.counts
    to.print()
    print_facts(
        "Customers found",
        {
            "rows": f"{result.rows:,}",
            "source records": f"{counts.records:,}",
            "customers": f"[bold green]{counts.customers:,}[/]",
            "merges": f"{counts.merges:,}",
            "splits": f"{counts.splits:,}",
            "repeated rows": f"{counts.stale:,}",
            "rejected rows": f"{sum(result.rejected.values()):,}",
        },
        to,
    )
    _print_rejects(result, rejects, to)
    if result.verdict:
        _print_verdict(result, to)
    to.print()
    to.print(f" {result.seconds:.1f} s: [bold]{result.records_per_second:,.0f} records/s[/]")
    if output != STANDARD_OUTPUT:
        to.print(f" The customer of each record is in [bold cyan]{markup_escape(str(output))}[/]", soft_wrap=True)


def _print_rejects(result: Resolved, rejects: Path | None, to: Console) -> None:
    for reject in result.rejects:
        where = markup_escape(f"{reject.file}:{reject.line}: {reject.reason}: {reject.detail}")
        to.print(f"   [dim]{where}[/]", soft_wrap=True)
    more = sum(result.rejected.values()) - len(result.rejects)
    if more > 0:
        where = f"all are in {rejects}" if rejects else "--rejects FILE writes them all"
        to.print(f"   [dim]and {more:,} more: {markup_escape(where)}[/]", soft_wrap=True)


def _print_verdict(result: Resolved, to: Console) -> None:
    assert result.verdict is not None
    quality, unlisted = result.verdict
    facts = {"precision": f"{quality.precision:.4f}", "recall": f"{quality.recall:.4f}", "F1": f"{quality.f1:.4f}"}
    facts["true pairs"] = f"{quality.true_pairs:,}"
    facts["found pairs"] = f"{quality.found_pairs:,}"
    if quality.missing:
        facts["missing records"] = f"{quality.missing:,}"
    if unlisted:
        facts["records not in the truth"] = f"{unlisted:,}"
    to.print()
    print_facts("Pairs, by the truth", facts, to)
