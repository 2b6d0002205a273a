"""Whether a process is alive, and ready: pure functions of what its watches last told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.app.watch import Snapshot, Watch

STALLED_SECONDS = 120.0
"""No step of the runtime takes this long: the longest waits of a log (a producer's start, a commit) are 30 s and 15 s."""

POLLED_SECONDS = 15.0
"""A processor that has not come back from a step for this long is not ready: it may be waiting for a broker."""

STANDBY_SECONDS = 30.0
"""An instance without partitions for this long after its start has none to expect: others hold them all."""


SOURCES_READER = "intake"
"""The processor whose topics are others' affair: it is ready although one of them cannot be read."""


class Health(NamedTuple):
    """One processor's state, as /live and /ready tell it."""

    processor: str
    live: bool
    ready: bool
    why: str  # not ready, or not live
    partitions: int
    restoring: int
    stopped_sources: dict[str, str]  # topic or topic/partition, why it is not read: an operator's matter, the rest goes on
    absent_paths: dict[str, list[str]]  # topic, mapped paths that no event of it has lately


def health(watch: Watch, now: float) -> Health:
    """`now`: monotonic seconds."""
    seen = watch.snapshot
    why = _why_not(seen, now, watch.started) or ("" if watch.processor == SOURCES_READER else _cut_off(seen))
    return Health(
        watch.processor,
        live=now - seen.at < STALLED_SECONDS,
        ready=not why,
        why=why,
        partitions=len(seen.partitions),
        restoring=len(seen.restoring),
        stopped_sources=dict(seen.stopped),
        absent_paths={topic: [path for at, path in seen.absent if at == topic] for topic, _ in seen.absent},
    )


def healths(watches: Iterable[Watch], now: float) -> list[Health]:
    return [health(watch, now) for watch in watches]


def _why_not(seen: Snapshot, now: float, started: float) -> str:
    """Why a processor is not ready; empty if it is."""
    if not seen.polled:
        return seen.trouble or "has not polled yet"
    if now - seen.at > POLLED_SECONDS:
        return f"has not polled for {now - seen.at:.0f} s"
    if seen.trouble:
        return seen.trouble
    if seen.restoring:
        return f"restores {len(seen.restoring)} of {len(seen.partitions)} partitions"
    if not seen.partitions and now - started < STANDBY_SECONDS:
        return "holds no partition yet"
    return ""


def _cut_off(seen: Snapshot) -> str:
    """Why some of its inbox is not read; empty if all is."""
    return "; ".join(f"{topic}: {why}" for topic, why in seen.stopped)
