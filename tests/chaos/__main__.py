"""`python -m tests.chaos`: a long run. Exit codes: 0 all is well, 1 it is not, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.chaos import faults, pipeline_faults
from tests.chaos.counting import USUAL_LOAD, Load
from tests.chaos.faults import KILLS
from tests.chaos.pipeline_report import pipeline_main
from tests.chaos.run import Report, chaos, sequence, strange_ends
from tests.parts import MissingPartError

FAULTS, PIPELINE_FAULTS = 36, 12


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--pipeline", action="store_true", help="singleview itself instead of workers that count")
    parser.add_argument("--faults", type=int, help="how many (default 36, with --pipeline 12)")
    parser.add_argument("--only", action="append", help="these kinds instead, in this order; may repeat")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=300, help="whose events are published; with --pipeline")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3))
    parser.add_argument("--minutes", type=float, default=math.inf, help="no fault begins after so many")
    parser.add_argument("--keys", type=int, default=USUAL_LOAD.keys, help="how many are counted")
    parser.add_argument("--rate", type=int, default=USUAL_LOAD.rate, help="messages a second; less on a busy machine")
    parser.add_argument("--protocol", default="classic", choices=("classic", "consumer"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    every: Iterable[str] = pipeline_faults.ALL if given.pipeline else faults.ALL
    if given.brokers > 1 and not given.pipeline:
        every = [*every, *faults.REPLICATED]
    if unknown := set(given.only or ()) - set(every):
        parser.error(f"there is no fault {', '.join(sorted(unknown))} (allowed: {', '.join(every)})")
    count = given.faults or (PIPELINE_FAULTS if given.pipeline else FAULTS)
    kinds = given.only or sequence(every, count, given.seed)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", file=sys.stderr, flush=True)

    if given.pipeline:
        return pipeline_main(kinds, given.customers, given.seed, say, as_json=given.json)
    try:
        with chaos(given.brokers, given.seed, given.protocol, say, Load(given.keys, given.rate)) as run:
            say(f"{len(kinds)} faults, seed {given.seed}, {given.brokers} broker(s), group protocol {given.protocol}")
            report = run.run(kinds, given.minutes)
            if not report.well:
                print(f"the files are in {run.folders.root}", file=sys.stderr)
                print(json.dumps(summary(report), indent=2))
                sys.exit(1)
    except MissingPartError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(summary(report), indent=None if given.json else 2))
    return 0


def summary(report: Report) -> dict[str, object]:
    """What the run is evidence for."""
    kills = [struck.takeover for struck in report.faults if struck.kind in KILLS]
    ending = report.ending
    return {
        "faults": len(report.faults),
        "faults by kind": dict(sorted(Counter(struck.kind for struck in report.faults).items())),
        "requests late or lost": dict(report.late),
        "messages": ending.messages,
        "lost": ending.lost,
        "doubled": ending.doubled,
        "versions out of order": ending.gaps,
        "wrong rows of the table": ending.wrong_rows,
        "wrong rows of rebuilt stores": ending.wrong_restored,
        "wrong rows of the workers' stores": ending.wrong_stores,
        "violations seen by the reader": report.violations[:20],
        "workers that ended by themselves": strange_ends(report.codes),
        "takeover after kill -9, seconds": {
            "median": round(statistics.median(kills), 1) if kills else None,
            "longest": round(max(kills), 1) if kills else None,
        },
        "longest standstill by kind, seconds": {
            kind: round(max(s.takeover for s in report.faults if s.kind == kind), 1)
            for kind in dict.fromkeys(struck.kind for struck in report.faults)
        },
        "SIGTERM to end, seconds": round(max(report.stops), 1) if report.stops else None,
        "restore": f"{ending.restored} table offsets in {ending.restore_seconds:.1f} s",
    }


if __name__ == "__main__":
    sys.exit(main())
