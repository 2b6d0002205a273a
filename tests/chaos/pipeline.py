"""One run of the whole pipeline: events flow steadily while faults strike; then it must have made of them what it should.

A deployment as in production: `singleview init`, then `singleview run` twice, each a parent with child processes, and
started again whenever it ends.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import fastavro

from benchmarks.cluster import Cluster
from connectors.logs.topics import ensure_topics
from connectors.registry import ConfluentRegistry
from connectors.simulated import SOURCES, generate
from connectors.simulated.publish import SourceEncoder
from schemas.registry import SchemaRegistry
from schemas.topics import TopicSpec, subscriber_topic
from streams.app.config import EVENT_BYTES
from tests.chaos.arrivals import Arrivals
from tests.chaos.faults import ChaosError
from tests.chaos.outcome import Decode, Found, expected, found, problems
from tests.chaos.pipeline_faults import ALL
from tests.chaos.processes import Supervised, Supervisor
from tests.chaos.publishing import Publisher
from tests.chaos.run import PATIENCE, Struck, strange_ends
from tests.chaos.site import PREFIX, RUNS, Site
from tests.chaos.words import strange_words

PARTITIONS = 4
SECONDS_A_FAULT = 20.0
"""What one may take; events are spread so that there still are some during the last."""


class PipelineReport(NamedTuple):
    """The evidence of a run."""

    faults: list[Struck]
    events: int
    found: Found
    problems: list[str]
    stops: list[float]  # seconds from SIGTERM to the end


class PipelineChaos:
    """A run. `say` is told what happens."""

    def __init__(self, site: Site, customers: int, seed: int, say: Callable[[str], None]) -> None:
        self.random = Random(seed)
        self.site = site
        self.supervisor = Supervisor()
        self.stops: list[float] = []
        self._events = list(generate(customers, seed))
        self._say = say
        self._registry = ConfluentRegistry({"url": site.registry.address})
        self._decode = avro_reader(self._registry)

    # -- what faults can do --

    def parent(self) -> Supervised:
        """One of the runs."""
        return self.random.choice(list(self.supervisor.workers.values()))

    def until(self, done: Callable[[], bool], what: str, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not done():
            if time.monotonic() > deadline:
                raise ChaosError(f"not within {patience:.0f} s: {what} (see {self.site.folder})")
            self.supervisor.wait(0.1)

    # -- the run --

    def run(self, kinds: Sequence[str]) -> PipelineReport:
        """Raises ChaosError if the pipeline does not go on."""
        publisher = self._start()
        wanted = expected(self.site.embedded, self._events)  # while the workers start
        self._say(f"{len(self._events)} events; the embedded pipeline makes {len(wanted.views)} customers of them")
        arrivals = Arrivals(self.site.kafka.address, PREFIX + subscriber_topic("warehouse"), self._decode, publisher.sent_at)
        try:
            faults = self._faults(kinds, publisher, arrivals)
            publisher.finish()
        finally:
            arrivals.close()
        cluster = Cluster(self.site.kafka.address, None)  # only now: it says every time that a broker is away
        try:
            self.until(lambda: self._all_read(cluster), "everything is read", PATIENCE)
            for run in self.supervisor.workers.values():
                self.stops.append(run.stop())
            self._say("everything is read")
            outcome = found(cluster, self._decode)
        finally:
            cluster.close()
        wrong = [*publisher.refused, *problems(outcome, wanted), *self._strange()]
        return PipelineReport(faults, len(self._events), outcome, wrong, self.stops)

    def _start(self) -> Publisher:
        sources = [TopicSpec(topic, PARTITIONS, False, -1, 2 * EVENT_BYTES) for topic in SOURCES.values()]
        ensure_topics({"bootstrap.servers": self.site.kafka.address}, sources, "", 1)
        self.site.command("init")
        for name in RUNS:
            run = self.supervisor.workers[name] = self.site.run(name)
            run.start()
        encode = SourceEncoder(self._registry)
        return Publisher(self.site.kafka.address, [(event, encode(event)) for event in self._events])

    def _faults(self, kinds: Sequence[str], publisher: Publisher, arrivals: Arrivals) -> list[Struck]:
        publisher.spread(SECONDS_A_FAULT * (len(kinds) + 1))
        self.until(lambda: arrivals.flowed(1.0) is not None, "notifications flow", PATIENCE)
        self._say("notifications flow")
        struck = []
        for number, kind in enumerate(kinds):
            publisher.spread(SECONDS_A_FAULT * (len(kinds) - number + 1))
            self.supervisor.wait(self.random.uniform(0.5, 3))
            since = ALL[kind](self)
            if not publisher.left:
                raise ChaosError(f"no events are left to see by whether the pipeline goes on after: {kind}")
            self.until(lambda: arrivals.flowed(since) is not None, f"notifications flow after: {kind}", PATIENCE)  # noqa: B023 - called at once
            struck.append(Struck(kind, (arrivals.flowed(since) or since) - since))
            self._say(f"{kind}: notifications flowed again after {struck[-1].takeover:.1f} s")
        return struck

    def _all_read(self, cluster: Cluster) -> bool:
        """Each processor in turn: what the one before has sent is there once that has read all."""
        return all(cluster.has_read_all(group, topic) for group, topic in self.site.inboxes())

    def _strange(self) -> list[str]:
        strange = strange_ends({run.name: run.codes for run in self.supervisor.workers.values()})
        for run in self.supervisor.workers.values():
            strange += [f"{run.name} said: {line}" for line in strange_words(run.says())]
        return strange

    def close(self) -> None:
        for run in self.supervisor.workers.values():
            run.kill()
        self._registry.close()


@contextmanager
def pipeline_chaos(customers: int, seed: int, say: Callable[[str], None]) -> Iterator[PipelineChaos]:
    """A run on parts of its own. Its files stay if it does not end well. Raises MissingPartError."""
    folder = Path(tempfile.mkdtemp(prefix="singleview-chaos-"))
    site = Site(folder)
    try:
        run = PipelineChaos(site, customers, seed, say)
        try:
            yield run
        finally:
            run.close()
        shutil.rmtree(folder)
    finally:
        site.close()


def avro_reader(registry: SchemaRegistry) -> Decode:
    """Reads what is in the wire format, as somebody who knows only the registry."""
    schema = lru_cache(lambda number: fastavro.parse_schema(json.loads(registry.schema(number))))

    def decode(data: bytes) -> dict[str, Any]:
        datum: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema(int.from_bytes(data[1:5], "big")), None)
        return dict(datum)

    return decode
