"""Workload 4: the whole pipeline under a steady load for a long time. Memory and open files must not grow, and the log must
hold nothing worse than information."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import median
from typing import NamedTuple

from benchmarks.engine import FailedError
from benchmarks.notifications import subscribed
from benchmarks.pipeline import SUBSCRIBER, PipelineWorkload
from benchmarks.pipeline_load import updates
from benchmarks.processes import Holding, Measured
from connectors.registry import ConfluentRegistry
from connectors.simulated.events import SourceEvent
from connectors.simulated.publish import SourceEncoder
from schemas.public import PublicCodec
from streams.app.wiring import PROCESSORS

SAMPLE_SECONDS = 10.0
SHOWN = 20
"""Lines of trouble that are printed, of those before the load and of those under it."""

TROUBLE = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback)\b")


class Sample(NamedTuple):
    """All processes of the pipeline together, so many seconds after the load began."""

    seconds: float
    holding: Holding


class Soak(PipelineWorkload):
    """A first load, then updates at a fixed rate for some minutes."""

    def soak(self, minutes: float) -> dict[str, float]:
        """All figures by name. Raises FailedError if the pipeline did not do the work."""
        load = self._prepare()
        with ConfluentRegistry({"url": self._registry}) as registry:
            encode = SourceEncoder(registry)
            PublicCodec(registry, self._prefix, [SUBSCRIBER])
            self._publish("first load", load.first, encode)
            with self._running() as process:
                self._until_stable(process, *PROCESSORS)
                with subscribed(self._cluster, self._topic) as subscription:
                    self._until_quiet("first load", subscription, process)
                number = int(self._settings.rate * minutes * 60)
                return self._steady(islice(updates(load.billing), number), number, encode, process)

    def _steady(
        self, events: Iterator[SourceEvent], number: int, encode: SourceEncoder, process: Measured
    ) -> dict[str, float]:
        samples: list[Sample] = []
        starting = len(list(process.log))
        with subscribed(self._cluster, self._topic) as subscription:
            began = time.time()

            def look(sent: int) -> None:
                seconds = time.time() - began
                if seconds >= len(samples) * SAMPLE_SECONDS:
                    samples.append(Sample(seconds, process.holding()))
                    self._tell("steady load", sent, number)

            self._on_time(self._due(events, began, encode), subscription, look)
            self._until_quiet("steady load", subscription, process)
            told = len(subscription.came)
        if told != number:
            raise FailedError(f"{told:,} notifications of {number:,} updates")
        log = list(process.log)
        return {
            "minutes": samples[-1].seconds / 60,
            "updates": number,
            **figures(samples),
            "lines_of_trouble_before": _trouble("before the load", log[:starting]),
            "lines_of_trouble_under_load": _trouble("under load", log[starting:]),
        }


def _trouble(when: str, log: Sequence[str]) -> int:
    """How many lines are worse than information; the first of them are printed."""
    lines = [line for line in log if TROUBLE.search(line)]
    for line in lines[:SHOWN]:
        print(f"{when}: {line}", file=sys.stderr)
    return len(lines)


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """The second quarter of the time against the last: caches and buffers fill in the first."""
    quarter = len(samples) // 4
    if not quarter:
        raise FailedError("too few samples: let it run for longer")
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return {
        "memory_mb_second_quarter": median(sample.holding.resident_mb for sample in early),
        "memory_mb_last_quarter": median(sample.holding.resident_mb for sample in late),
        "memory_mb_highest": max(sample.holding.resident_mb for sample in samples),
        "files_second_quarter": median(sample.holding.files for sample in early),
        "files_last_quarter": median(sample.holding.files for sample in late),
        "files_highest": max(sample.holding.files for sample in samples),
    }
