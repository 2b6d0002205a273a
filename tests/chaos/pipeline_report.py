"""What `python -m tests.chaos --pipeline` prints: a table for people, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from tests.chaos.faults import ChaosError
from tests.chaos.pipeline import PipelineReport, pipeline_chaos
from tests.parts import MissingPartError


class UnwellError(Exception):
    """Something was found: the files of the run must stay."""


def pipeline_main(kinds: Sequence[str], customers: int, seed: int, say: Callable[[str], None], *, as_json: bool) -> int:
    """Exit codes: 0 all is well, 1 it is not, 2 this machine cannot run the parts."""
    say(f"{len(kinds)} faults, seed {seed}, events of {customers} customers")
    try:
        with pipeline_chaos(customers, seed, say) as run:
            report = run.run(kinds)
            print(json.dumps(summary(report)) if as_json else table(report))
            if report.problems:
                raise UnwellError(f"the files are in {run.site.folder}")
    except (ChaosError, UnwellError) as error:
        print(error, file=sys.stderr)
        return 1
    except MissingPartError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def summary(report: PipelineReport) -> dict[str, object]:
    return {
        "faults": by_kind(report),
        "events": report.events,
        "views": len(report.found.views),
        "changes": len(report.found.changes),
        "notifications": sum(map(len, report.found.notified.values())),
        "dead letters": report.found.letters.total(),
        "SIGTERM to end, seconds": round(max(report.stops), 1),
        "problems": report.problems,
    }


def by_kind(report: PipelineReport) -> dict[str, list[float]]:
    """Seconds until notifications flowed again, of each fault."""
    found: dict[str, list[float]] = {}
    for struck in report.faults:
        found.setdefault(struck.kind, []).append(round(struck.takeover, 1))
    return found


def table(report: PipelineReport) -> str:
    """For a terminal."""
    lines = [f"{'fault':<32}{'times':>6}  notifications flowed again after, seconds"]
    for kind, seconds in by_kind(report).items():
        lines.append(f"{kind:<32}{len(seconds):>6}  {', '.join(map(str, seconds))}")
    found = summary(report)
    del found["faults"], found["problems"]
    lines += ["", *(f"{name:<32}{value:>6}" for name, value in found.items())]
    lines += ["", *(f"WRONG: {problem}" for problem in report.problems or ())]
    lines += [] if report.problems else ["nothing lost, nothing doubled, views as the embedded pipeline's, no error said"]
    return "\n".join(lines)
