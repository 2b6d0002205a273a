"""`python -m tests.fuzz`: hostile events through the reader and the whole pipeline; exits with 1 if anything went wrong."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

from connectors.logs.embedded import EmbeddedLog
from streams.app.config import SECRET_VARIABLE
from tests.fuzz.pipeline import fuzz_pipeline
from tests.fuzz.reader import fuzz_reader

out = Console(highlight=False, soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--cases", type=int, default=20_000, help="hostile events for the reader, and again for the pipeline"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault(SECRET_VARIABLE, "of-a-fuzzed-deployment-without-people")
    with tempfile.TemporaryDirectory() as temporary:
        log = EmbeddedLog(Path(temporary) / "registry.db")
        readings = fuzz_reader(options.cases, options.seed, log.registry())
        log.close()
        out.print(f"reader, {options.cases:,} hostile events, seed {options.seed}")
        out.print(f" read {readings.read:,}, ignored {readings.ignored:,}, slowest {readings.slowest_seconds:.3f} s")
        out.print(f" refused {readings.refused.total():,}: {_listed(readings.refused)}")
        outcome = fuzz_pipeline(options.cases, options.seed, Path(temporary))
        out.print(f"pipeline, {outcome.events:,} events, {options.cases:,} of them hostile")
        out.print(f" records {outcome.records:,}, customers {outcome.customers:,}")
        out.print(f" dead letters {outcome.letters.total():,}: {_listed(outcome.letters)}")
    faults = [*readings.faults, *outcome.faults]
    for fault in faults:
        out.print(f" [red]{fault}[/]")
    out.print(f"faults {len(faults)}")
    return 1 if faults else 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
