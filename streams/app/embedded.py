"""The whole pipeline in one process, over the embedded log: the demo, tests, small installations."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from connectors.logs.embedded import EmbeddedLog, EmbeddedRegistry, EmbeddedSession
from connectors.simulated import SourceEvent
from connectors.simulated.publish import SourceEncoder
from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import Republish
from schemas.topics import CUSTOMERS, INBOXES, TopicSpec
from streams.app.config import EVENT_BYTES, topic_specs
from streams.app.facts.embedded import check_log
from streams.app.wiring import PROCESSORS, Deployment, make_worker
from streams.engine.outbox import Outgoing
from streams.engine.runtime import CrashPoint, Worker
from tables.rocks import StoreOptions

LOG_FILE = "log.db"
STORES_FOLDER = "stores"
PUBLISH_BATCH = 5_000
WAIT_SECONDS = 0.005
"""Pause of a process that has nothing to do until another has done its part."""


class Round(NamedTuple):
    """How far a run is."""

    events: int  # source events consumed since its start
    waiting: int  # messages before the processor elsewhere that is the furthest behind


class Pipeline:
    """All five processors, or some, stepped in turn by one thread. Close it, or use it as a context manager."""

    def __init__(
        self,
        deployment: Deployment,
        at: CrashPoint = lambda step: None,  # noqa: ARG005
        *,
        processors: Sequence[str] = PROCESSORS,
        shared: bool = False,
    ) -> None:
        """`shared`: other processes run the other processors on the same folder.

        Raises FactsError if the folder is of another deployment, or what must not change has.
        """
        folder = deployment.configuration.data_folder
        self._deployment = deployment
        self.log = EmbeddedLog(folder / LOG_FILE, shared=shared)
        if "intake" in processors:  # whoever runs it is the first, and makes the log ready for the others
            try:
                self._make_ready(deployment)
            except BaseException:
                self.log.close()  # or nobody else may open it
                raise
        self.registry: EmbeddedRegistry = self.log.registry()
        options = StoreOptions.bounded()
        self.workers: dict[str, Worker] = {
            name: make_worker(
                deployment,
                deployment.processor(name, lambda: self.registry),
                EmbeddedSession(self.log, name, deployment.inbox(name), purge=deployment.inbox(name)[0] in INBOXES),
                folder / STORES_FOLDER,
                options,
                at,
            )
            for name in processors
        }

    def _make_ready(self, deployment: Deployment) -> None:
        deployment.known(check_log(deployment, self.log))
        self.log.create(_narrow(topic_specs(deployment.configuration)))
        self.log.create(TopicSpec(topic, 1, False, -1, EVENT_BYTES) for topic in deployment.source_topics)
        self.log.compact(int(time.time() * 1000))

    def step(self) -> bool:
        """Steps every processor once; whether there was anything to do."""
        moved = sum(worker.step(0) for worker in self.workers.values())
        return bool(moved) or any(worker.restoring for worker in self.workers.values())

    def run(self, elsewhere: Collection[str] = ()) -> Iterator[Round]:
        """Steps every processor until nothing is left to do; yields how far it is at each round.

        `elsewhere`: processors that run in other processes; they too must have nothing left to do.
        """
        quiet = 0
        while quiet < 2:  # the first round only brings the partitions
            # Their lag is looked at first: what they sent until then, the next step will see.
            waiting = max((self.log.lag(name, self._deployment.inbox(name)) for name in elsewhere), default=0)
            if self.step():
                quiet = 0
            elif waiting:
                time.sleep(WAIT_SECONDS)
            else:
                quiet += 1
            yield Round(self.workers["intake"].counts.messages, waiting)

    def publish(self, events: Iterable[SourceEvent], done: int) -> Iterator[int]:
        """Appends source events; yields how many there are after each transaction.

        How many were appended is kept with them, so a publisher that was killed goes on where it stopped: `done` is
        what `published` said, and `events` are those after it.
        """
        encode = SourceEncoder(self.registry)
        batch: list[tuple[Outgoing, int]] = []
        for event in events:
            batch.append((Outgoing(event.topic, event.key, encode(event)), event.timestamp))
            if len(batch) == PUBLISH_BATCH:
                done = self._append(batch, done)
                yield done
        yield self._append(batch, done)

    def _append(self, batch: list[tuple[Outgoing, int]], done: int) -> int:
        self.log.begin()
        self.log.append(batch)
        self.log.set_note("published", str(done + len(batch)))
        self.log.commit()
        done += len(batch)
        batch.clear()
        return done

    def republish(self) -> None:
        """Has every view published again, as it was last, by the rounds of `run` that follow."""
        self.log.begin()
        now = int(time.time() * 1000)
        asked, partitions = CUSTOMERS_CODEC.encode(Republish()), range(self.log.topic(CUSTOMERS).partitions)
        self.log.append((Outgoing(CUSTOMERS, None, asked, (), partition), now) for partition in partitions)
        self.log.commit()

    @property
    def published(self) -> int:
        """Source events appended so far, over all starts."""
        return int(self.log.note("published") or 0)

    def close_workers(self) -> None:
        """Closes the stores, so that others may read them; the log stays open."""
        for worker in self.workers.values():
            worker.close()

    def close(self) -> None:
        self.close_workers()
        self.log.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _narrow(specs: Iterable[TopicSpec]) -> Iterator[TopicSpec]:
    """One process needs one partition of each topic; only identity's stay, as realms are mapped to them."""
    for spec in specs:
        yield spec if spec.name.startswith("identity") else spec._replace(partitions=1)


def data_paths(folder: Path) -> tuple[Path, Path]:
    """The log and the stores of an embedded data folder."""
    return folder / LOG_FILE, folder / STORES_FOLDER
