"""`singleview doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from rich.text import Text

from streams.app.broker import quiet
from streams.app.config import Configuration
from streams.app.console import WorkError, out, plain, print_json
from streams.app.doctor import Check, Status, examine
from streams.app.rights import unusable
from streams.app.rows import Column, print_rows
from streams.app.wiring import Deployment

COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.ERROR: "bold red"}


def doctor(config: Path, *, as_json: bool) -> None:
    """Prints what was found. Raises WorkError if anything is an error, and as every command for a bad configuration."""
    deployment = Deployment(Configuration.load(config))
    checks: list[Check] = []
    try:
        checks.extend(examine(deployment))
    except KafkaException as error:
        raise unusable(deployment, quiet(deployment.configuration.kafka_settings), error) from error
    counts = Counter(check.status for check in checks)
    if as_json:
        print_json({"checks": [check._asdict() for check in checks], **{s.value: counts[s] for s in Status}})
    else:
        _print(checks)
        out.print(", ".join(f"{status}: {counts[status]}" for status in Status))
    if counts[Status.ERROR]:
        raise WorkError(f"{counts[Status.ERROR]} of {len(checks)} checks failed")


def _print(checks: Sequence[Check]) -> None:
    rows = []
    for check in checks:
        found = plain(check.found)
        if check.fix:
            found.append("\n").append_text(plain(f"→ {check.fix}"))
        rows.append((Text(str(check.status), style=COLOURS[check.status]), plain(check.area), plain(check.what), found))
    print_rows("", [Column(""), Column("area"), Column("what"), Column("found")], rows)
