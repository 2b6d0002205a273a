"""Workload 2: the whole pipeline, from the source topics to a subscriber's notifications, run by `singleview run`.

1. first load: the first event of every record, preloaded; rate from intake's group being stable to the last notification.
2. updates: preloaded while the pipeline is down, then it starts on its warm stores; rate as before.
3. updates at a fixed rate, and new records at a fixed rate: time from the source event's time to the notification's being
   read. An event's time is when it was due, so a sender that falls behind hides nothing.

Before, the same pipeline is rehearsed with few customers until the broker's JVM has compiled itself: one that has just
started spends a third of a core on that for minutes.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml
from confluent_kafka import Producer

from benchmarks.cluster import Cluster, Committed
from benchmarks.engine import FailedError
from benchmarks.notifications import Subscription, subscribed
from benchmarks.pipeline_load import Load, at, make_load, updates
from benchmarks.processes import Measured, Usage, usage_of
from connectors.mappings import shipped_mapping
from connectors.registry import ConfluentRegistry
from connectors.simulated import SOURCES
from connectors.simulated.events import SourceEvent
from connectors.simulated.publish import SourceEncoder
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_VIEW, DEAD_LETTERS, subscriber_topic
from streams.app.wiring import INBOX_OF, PROCESSORS

SUBSCRIBER = "bench"
ENVIRONMENT = {"SINGLEVIEW_SECRET": "no secret: the benchmark's customers are simulated"}
PATIENCE = 900.0
QUIET_SECONDS = 2.0
STUCK_SECONDS = 60.0
CALM = 0.05  # of a core, used by the broker's compiler: it is warm
REHEARSED_CUSTOMERS = 1_000
LOADED_CUSTOMERS = 4_000  # at the end of the rehearsal: what a broker does in a first load is compiled apart
REHEARSED_SECONDS = 10  # of load between two looks at the compiler
REHEARSED_BACKLOG = 5_000  # updates at once before them, as for those who catch up
BEAT = 0.005  # seconds: how finely events are sent and notifications read at a fixed rate
ENCODING_SECONDS = 0.001  # one event takes less: all are encoded before the first is sent
SETTLING_SECONDS = 5.0  # of a fixed rate: not counted

Tell = Callable[[str, int, int], None]


class Settings(NamedTuple):
    """How much is measured."""

    customers: int = 20_000
    updates: int = 50_000
    rate: int = 500  # events a second, in the third phase
    seconds: int = 30  # of each fixed rate
    partitions: int = 1  # of every topic: a stage is one process here, and a partition more costs requests
    rehearsal: int = 300  # seconds at most; 0: none
    seed: int = 42


class Throughput(NamedTuple):
    """One of the first two phases."""

    events: int
    notifications: int
    seconds: float
    cpu_seconds: float
    broker_cpu_seconds: float

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}_events": self.events,
            f"{name}_notifications": self.notifications,
            f"{name}_events_per_second": self.events / self.seconds,
            f"{name}_cpu_us_per_event": 1e6 * self.cpu_seconds / self.events,
            f"{name}_broker_cpu_us_per_event": 1e6 * self.broker_cpu_seconds / self.events,
        }


class Due(NamedTuple):
    """An event ready to be sent."""

    at: float  # seconds since the epoch
    topic: str
    key: bytes | None
    value: bytes | None


class PipelineWorkload:
    """One pass over all phases, on a broker and a registry of its own."""

    def __init__(
        self, cluster: Cluster, registry: str, folder: Path, settings: Settings, tell: Tell, prefix: str = "bench."
    ) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._registry = registry
        self._folder = folder
        self._settings = settings
        self._tell = tell
        self._config = folder / "singleview.yaml"
        self._topic = prefix + subscriber_topic(SUBSCRIBER)

    def run(self) -> dict[str, float]:
        """All figures by name. Raises FailedError if the pipeline did not do the work."""
        self._rehearsed()
        load = self._prepare()
        with ConfluentRegistry({"url": self._registry}) as registry:
            encode = SourceEncoder(registry)
            codec = PublicCodec(registry, self._prefix, [SUBSCRIBER])
            figures = self._preloaded("first load", load.first, encode).figures("first_load")
            self._check_load(load, codec)
            changing = updates(load.billing)
            found = self._preloaded("updates", list(islice(changing, self._settings.updates)), encode)
            if found.notifications != found.events:
                raise FailedError(f"{found.notifications:,} notifications of {found.events:,} updates")
            figures |= found.figures("updates")
            with self._running() as process:
                self._until_stable(process, *PROCESSORS)
                self._warm_up(islice(changing, 2 * self._settings.rate), encode, process)
                number = self._settings.rate * self._settings.seconds
                figures |= self._paced("updates", islice(changing, number), encode, codec, process)
                figures |= self._paced("new_records", iter(load.fresh[:number]), encode, codec, process)
                figures["peak_mb"] = process.usage().peak_mb
        return figures

    # -- phases --

    def _preloaded(self, what: str, events: Sequence[SourceEvent], encode: SourceEncoder) -> Throughput:
        self._publish(what, events, encode)
        with subscribed(self._cluster, self._topic) as subscription, self._running() as process:
            self._until_stable(process, "intake")
            began, used, broker = time.time(), process.usage(), self._broker()
            self._until_quiet(what, subscription, process)
            spent, broker_spent = process.usage().cpu_seconds - used.cpu_seconds, self._broker() - broker
        seconds = subscription.last_read_at - began
        return Throughput(len(events), len(subscription.came), seconds, spent, broker_spent)

    def _warm_up(self, events: Iterator[SourceEvent], encode: SourceEncoder, process: Measured) -> None:
        with subscribed(self._cluster, self._topic) as subscription:
            self._publish("warming up", list(events), encode)
            self._until_quiet("warming up", subscription, process)

    def _paced(
        self, name: str, events: Iterator[SourceEvent], encode: SourceEncoder, codec: PublicCodec, process: Measured
    ) -> dict[str, float]:
        with subscribed(self._cluster, self._topic) as subscription:
            chosen = list(events)
            began = time.time() + len(chosen) * ENCODING_SECONDS + 1
            due = list(self._due(chosen, began, encode))
            self._on_time(due, subscription)
            self._until_quiet(f"{name} at a fixed rate", subscription, process)
        latencies = sorted(subscription.latencies_ms(codec.decode_change, int((began + SETTLING_SECONDS) * 1000)))
        if len(latencies) < 2:
            raise FailedError(f"no notifications of {name} at a fixed rate: more --seconds or --customers are needed")
        cuts = statistics.quantiles(latencies, n=100)
        return {f"{name}_at_rate_p50_ms": cuts[49], f"{name}_at_rate_p99_ms": cuts[98], f"{name}_at_rate_sent": len(due)}

    def _due(self, events: Iterable[SourceEvent], began: float, encode: SourceEncoder) -> Iterator[Due]:
        """The events at the fixed rate, each happening when it is due."""
        for number, event in enumerate(events):
            due = began + number / self._settings.rate
            yield Due(due, event.topic, event.key, encode(at(event, int(due * 1000))))

    def _on_time(self, events: Iterable[Due], subscription: Subscription, sent: Callable[[int], None] | None = None) -> None:
        """Sends each event when it is due, reading notifications meanwhile."""
        producer = self._cluster.producer({"linger.ms": 5})  # as Kafka's own producer
        for number, event in enumerate(events, start=1):
            while time.time() < event.at:
                subscription.read(BEAT)
            producer.produce(event.topic, event.value, event.key, timestamp=int(event.at * 1000))
            producer.poll(0)
            if sent:
                sent(number)
        producer.flush(60)

    # -- before --

    def _rehearsed(self) -> None:
        """Leaves a warm broker behind, and nothing else."""
        if self._settings.rehearsal:
            with self._aside("rehearsal.", REHEARSED_CUSTOMERS) as other:
                other.rehearse()
            with self._aside("last-rehearsal.", LOADED_CUSTOMERS) as other:
                other.load()

    @contextmanager
    def _aside(self, prefix: str, customers: int) -> Iterator[PipelineWorkload]:
        """The same with other customers, in topics of their own, of which nothing is left."""
        folder = self._folder / prefix
        folder.mkdir()
        settings = self._settings._replace(customers=customers)
        yield PipelineWorkload(self._cluster, self._registry, folder, settings, self._tell, prefix)
        for name in (prefix, *SOURCES.values()):
            self._cluster.delete(name)

    def load(self) -> None:
        """A first load, of which nothing is measured."""
        load = self._prepare()
        with ConfluentRegistry({"url": self._registry}) as registry:
            self._preloaded("rehearsal", load.first, SourceEncoder(registry))

    def rehearse(self) -> None:
        """Updates, at once and at the fixed rate, until the broker's compiler is calm; not for longer than was asked for."""
        load = self._prepare()
        with ConfluentRegistry({"url": self._registry}) as registry:
            encode = SourceEncoder(registry)
            self._preloaded("rehearsal", load.first, encode)
            changing, began = updates(load.billing), time.monotonic()
            with self._running() as process, subscribed(self._cluster, self._topic) as subscription:
                self._until_stable(process, *PROCESSORS)
                while (spent := time.monotonic() - began) < self._settings.rehearsal:
                    self._tell("rehearsal", int(spent), self._settings.rehearsal)
                    compiled, started = self._cluster.compiled_seconds(), time.monotonic()
                    self._publish("rehearsal", list(islice(changing, REHEARSED_BACKLOG)), encode)
                    events = islice(changing, self._settings.rate * REHEARSED_SECONDS)
                    self._on_time(self._due(events, time.time(), encode), subscription)
                    if self._cluster.compiled_seconds() - compiled < CALM * (time.monotonic() - started):
                        break
                self._until_quiet("rehearsal", subscription, process)

    # -- waiting --

    def _until_stable(self, process: Measured, *processors: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not all(self._cluster.stable(f"{self._prefix}{processor}") for processor in processors):
            if process.ended(0.05) or time.monotonic() > deadline:
                raise FailedError(f"the pipeline did not start: {process.last_lines()}")

    def _until_quiet(self, what: str, subscription: Subscription, process: Measured) -> None:
        """Until all is consumed at every stage and no notification has come for a while."""
        began = time.time()
        give_up = time.monotonic() + STUCK_SECONDS
        with self._cluster.reader(f"{self._prefix}intake") as asker:
            intake = Committed(self._cluster, asker, list(SOURCES.values()))
            while True:
                if subscription.read(0.2):
                    give_up = time.monotonic() + STUCK_SECONDS
                done = intake.done()
                self._tell(what, done, intake.total)
                quiet = time.time() - max(subscription.last_read_at, began) > QUIET_SECONDS
                if done >= intake.total and quiet and not self._behind():
                    ends = self._cluster.ends([self._topic])
                    if subscription.has_reached(ends):
                        return
                if process.ended(0) or time.monotonic() > give_up:
                    behind = ", ".join(self._behind()) or "nobody"
                    raise FailedError(
                        f"{what}: no notifications for {STUCK_SECONDS:.0f} s, behind: {behind}: {process.last_lines()}"
                    )

    def _behind(self) -> list[str]:
        """The processors that have not read all of their inbox."""
        return [
            processor
            for processor, topic in INBOX_OF.items()
            if not self._cluster.has_read_all(f"{self._prefix}{processor}", self._prefix + topic)
        ]

    def _check_load(self, load: Load, codec: PublicCodec) -> None:
        if letters := sum(self._cluster.ends([self._prefix + DEAD_LETTERS]).values()):
            raise FailedError(f"{letters} dead letters (with markers) in the first load")
        members: dict[object, int] = {}
        for message in self._cluster.read_all(self._prefix + CUSTOMER_VIEW):
            value = message.value()
            members[message.key()] = codec.decode_view(value).member_count if isinstance(value, bytes) else 0
        if sum(members.values()) != len(load.first):
            raise FailedError(f"the views have {sum(members.values()):,} members, {len(load.first):,} records were loaded")

    # -- parts --

    def _prepare(self) -> Load:
        """Configuration and topics; what there is to load."""
        self._configure()
        self._cluster.create(SOURCES.values(), {"retention.ms": "-1"}, self._settings.partitions)
        self._init()
        return make_load(self._settings.customers, self._settings.seed)

    def _configure(self) -> None:
        document = {
            "data": "data",
            "prefix": self._prefix,
            "partitions": self._settings.partitions,
            "realms": {"north": 0, "south": 1},
            "kafka": {"bootstrap.servers": self._cluster.brokers},
            "registry": {"url": self._registry},
            "sources": [str(shipped_mapping(name)) for name in SOURCES],
            "subscribers": [{"name": SUBSCRIBER}],
        }
        self._config.write_text(yaml.safe_dump(document))

    def _init(self) -> None:
        command = [sys.executable, "-m", "streams.app.cli", "init", "--config", str(self._config)]
        with Measured(command, self._folder / "log", ENVIRONMENT) as process:
            if not process.ended(PATIENCE) or process.exit_code != 0:
                raise FailedError(f"singleview init failed: {process.last_lines()}")

    @contextmanager
    def _running(self) -> Iterator[Measured]:
        command = [sys.executable, "-m", "streams.app.cli", "run", "--config", str(self._config), "--instance", "bench"]
        with Measured(command, self._folder / "log", ENVIRONMENT) as process:
            yield process
        # Static members stay in their groups for a while, which then look stable though nobody is there.
        deadline = time.monotonic() + PATIENCE
        while any(self._cluster.members(f"{self._prefix}{processor}") for processor in PROCESSORS):
            if time.monotonic() > deadline:
                raise FailedError("the groups did not become empty")
            time.sleep(0.2)

    def _publish(self, what: str, events: Sequence[SourceEvent], encode: SourceEncoder) -> None:
        producer = self._cluster.producer()
        for done, event in enumerate(events, start=1):
            self._send(producer, event, encode)
            if done % 1_000 == 0:
                producer.poll(0)
                self._tell(f"publishing: {what}", done, len(events))
        if producer.flush(60):
            raise FailedError("the events could not be published: is the broker well?")

    def _send(self, producer: Producer, event: SourceEvent, encode: SourceEncoder) -> None:
        producer.produce(event.topic, encode(event), event.key, timestamp=event.timestamp)

    def _broker(self) -> float:
        return (usage_of(self._cluster.pid) if self._cluster.pid else Usage(0.0, 0.0)).cpu_seconds
