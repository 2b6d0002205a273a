"""The one place where processors, logs, stores, mappings and rules are put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import combinations
from pathlib import Path

from connectors.mappings import Mapping as SourceMapping
from connectors.mappings import SourceReader, load_mapping
from connectors.mappings.mapping import FROM_RECORD
from schemas.documents import DocumentError, Problem
from schemas.public import PublicCodec
from schemas.registry import RegistryError, SchemaRegistry
from schemas.topics import CUSTOMER_CHANGES, CUSTOMERS, IDENTITY, RECORDS, TopicNames, table_topic
from streams.app.config import Configuration, topic_specs
from streams.customers import Customers
from streams.engine.contract import Message, Processor, TransientError
from streams.engine.log import Session
from streams.engine.outbox import Partitioner
from streams.engine.runtime import CrashPoint, Limits, Worker
from streams.identity.factory import identity_processor
from streams.intake import Intake, Reading, StopRule
from streams.notify import Notify
from streams.records import Records
from streams.survivorship import Survivorship, default_rules, load_rules
from tables.rocks import RocksStores, StoreOptions

PROCESSORS = ("intake", "records", "identity", "customers", "notify")
INBOX_OF: Mapping[str, str] = {
    "records": RECORDS,
    "identity": IDENTITY,
    "customers": CUSTOMERS,
    "notify": CUSTOMER_CHANGES,
}
STATEFUL = frozenset({"records", "identity", "customers"})


class Deployment:
    """A configuration and what is read from it once: mappings, rules, names."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises DocumentError for a bad mapping or rules file."""
        self.configuration = configuration
        self.mappings = [_of_topics(configuration.resolve(path)) for path in configuration.sources]
        rules = configuration.survivorship
        self.survivorship = Survivorship(load_rules(configuration.resolve(rules)) if rules else default_rules())
        self._realms = dict(configuration.realms)
        self._tables: Mapping[str, str] = {}  # by table topic, its id
        self._by_topic = {topic: mapping for mapping in self.mappings for topic in mapping.topics}
        topics = [topic for mapping in self.mappings for topic in mapping.topics]
        _refuse_shared_topics(configuration, topics)
        _refuse_our_own(configuration, topics)
        _refuse_shared_sources(configuration, self.mappings)

    def known(self, realms: Mapping[str, int], tables: Mapping[str, str] | None = None) -> None:
        """What is known from before. `realms`: with their numbers: what waits of one that is not configured any more finds
        its way. `tables`: ids of the table topics, by their full names."""
        self._realms = {**realms, **self._realms}
        self._tables = tables or {}

    def table_id(self, processor: str) -> str:
        """Of its table topic; empty if it is not known."""
        return self._tables.get(self.names.physical(table_topic(processor)), "")

    @property
    def source_topics(self) -> list[str]:
        return list(self._by_topic)

    @property
    def log_epochs(self) -> dict[str, int]:
        """The epoch of each source topic whose events are ordered by the log."""
        return {topic: mapping.log_epoch for topic, mapping in self._by_topic.items() if mapping.log_epoch is not None}

    @cached_property
    def names(self) -> TopicNames:
        return TopicNames(self.configuration.prefix, frozenset(self._by_topic))

    def inbox(self, processor: str) -> list[str]:
        """The topics a processor reads."""
        return self.source_topics if processor == "intake" else [INBOX_OF[processor]]

    def processor(self, name: str, registry: Callable[[], SchemaRegistry]) -> Processor:
        """Builds one processor. `registry` is asked only by those that need it. Raises RegistryError."""
        configuration = self.configuration
        match name:
            case "intake":
                letters = configuration.dead_letters
                stop = StopRule(letters.stop_share, letters.window, letters.least)
                found = registry()
                readers = {topic: _Patient(SourceReader(mapping, found)) for topic, mapping in self._by_topic.items()}
                return Intake(readers, configuration.realms, stop)
            case "records":
                return Records()
            case "identity":
                return identity_processor(configuration.secret_bytes)
            case "customers":
                return Customers(self.survivorship, self.codec(registry()))
            case "notify":
                return Notify(configuration.subscribers, self.codec(registry()), configuration.subscriber_secrets)
        raise ValueError(f"there is no processor {name}")

    def codec(self, registry: SchemaRegistry) -> PublicCodec:
        """What reads and writes the public topics. Registers their schemas. Raises RegistryError."""
        subscribers = [subscriber.name for subscriber in self.configuration.subscribers]
        return PublicCodec(registry, self.configuration.prefix, subscribers)

    @property
    def partitioners(self) -> dict[str, Partitioner]:
        realms = {realm.encode(): partition for realm, partition in self._realms.items()}
        return {IDENTITY: realms.__getitem__}

    @property
    def limits(self) -> Limits:
        batches = self.configuration.batches
        return Limits(messages=batches.messages, bytes=batches.bytes, fold_seconds=batches.fold_seconds)


def make_worker(
    deployment: Deployment,
    processor: Processor,
    session: Session,
    stores: Path,
    options: StoreOptions,
    at: CrashPoint = lambda step: None,  # noqa: ARG005
    rest: Callable[[float], object] = time.sleep,
    interval: float = 0.0,
) -> Worker:
    """A processor on its session. `stores` is the folder of this instance's stores.

    `rest` waits between two tries, and until `interval` seconds have passed since the last batch began.
    """
    return Worker(
        processor,
        session,
        RocksStores(stores / processor.name, options) if processor.name in STATEFUL else None,
        partitioners=deployment.partitioners,
        limits=deployment.limits._replace(interval_seconds=interval),
        at=at,
        rest=rest,
    )


class _Patient:
    """A source's reader. A registry that is away is waited for; it is no fault of the event."""

    def __init__(self, reader: SourceReader) -> None:
        self.begin, self.recall, self.remember = reader.begin, reader.recall, reader.remember
        self._reader = reader

    def read(self, message: Message) -> Reading:
        try:
            return self._reader.read(message)
        except RegistryError as error:
            raise TransientError(str(error)) from error

    @property
    def absent(self) -> Mapping[tuple[str, str], int]:
        return self._reader.absent


def _of_topics(path: Path) -> SourceMapping:
    mapping = load_mapping(path)
    if not mapping.topics:
        what = "is missing: name the topics this source's events are on (a mapping without them is for `singleview resolve`)"
        raise DocumentError([Problem(str(path), 1, "topics", what)])
    return mapping


def _refuse_our_own(configuration: Configuration, topics: list[str]) -> None:
    ours = {name for spec in topic_specs(configuration) for name in (spec.name, configuration.prefix + spec.name)}
    for topic in topics:
        if topic in ours:
            where = ", ".join(map(str, configuration.sources))
            what = f"{topic} is the name of a topic of singleview's own: have the source publish to another"
            raise DocumentError([Problem(where, 1, "topics", what)])


def _refuse_shared_topics(configuration: Configuration, topics: list[str]) -> None:
    for topic in topics:
        if topics.count(topic) > 1:
            where = ", ".join(map(str, configuration.sources))
            raise DocumentError([Problem(where, 1, "topics", f"two mappings read topic {topic}")])


def _refuse_shared_sources(configuration: Configuration, mappings: list[SourceMapping]) -> None:
    """Two mappings may write the same records only if neither empties what the other has written."""
    for (path, mapping), (other_path, other) in combinations(zip(configuration.sources, mappings, strict=True), 2):
        if mapping.source != other.source or mapping.source == FROM_RECORD or (mapping.patches and other.patches):
            continue
        if mapping.known_realms and other.known_realms and not mapping.known_realms & other.known_realms:
            continue
        what = (
            f"{other_path} also writes records of {mapping.source}, and a snapshot of one empties what only the other maps:"
            " give each its own source (identity joins records that share an identification), say operation: patch in both,"
            " or give them different realms"
        )
        raise DocumentError([Problem(str(path), 1, "source", what)])
