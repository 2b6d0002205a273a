"""Trouble with one source topic stops that topic, says why, and nothing else; nothing of any is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from connectors.logs import kafka_orphans
from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_client import Connection, GroupProtocol
from connectors.logs.skips import give_up
from connectors.logs.topics import ensure_topics
from schemas.topics import DEAD_LETTERS, TopicNames, TopicSpec
from streams.engine.contract import Message, Outbox, Store
from streams.engine.runtime import Limits, Worker
from tests.parts import launch_kafka

pytestmark = pytest.mark.kafka

PATIENCE = 60.0
SOON = 15.0
"""Seconds, for what must not take the minutes that the client's own defaults would."""

ACL_FIELDS = ("restype", "name", "resource_pattern_type", "principal", "host", "operation", "permission_type")

SPECS = [
    TopicSpec("out", 1, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
    TopicSpec(DEAD_LETTERS, 1, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
]


class Copy:
    """Sends each source event on."""

    name = "intake"

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Nothing to look up."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        out.send("out", None, message.value)


class Intake:
    """A process that reads sources."""

    def __init__(
        self, plant: Sources, topics: Sequence[str], instance: str, epochs: Mapping[str, int], protocol: GroupProtocol
    ):
        names = [plant.prefix + topic for topic in topics]
        connection = Connection(plant.settings, TopicNames(plant.prefix, frozenset(names)), instance, protocol)
        own = {plant.prefix + topic: epoch for topic, epoch in epochs.items()}
        self.session = KafkaSession(connection, "intake", names, from_beginning=True, epochs=own)
        self.worker = Worker(Copy(), self.session, None, limits=Limits(retry_seconds=0.01))

    def until(self, done: Callable[[], bool], patience: float = PATIENCE) -> None:
        run([self], done, patience)

    def unread(self, topic: str) -> str:
        """Why a topic is not read; empty if it is."""
        return next((why for name, why in self.session.unread().items() if name.removesuffix("/0").endswith(topic)), "")


def run(intakes: Sequence[Intake], done: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not done():
        for intake in intakes:
            intake.worker.step(0.05)
        assert time.monotonic() < deadline, [(i.worker.counts, i.worker.partitions, i.session.unread()) for i in intakes]


class Sources:
    """Source topics `a` and `b`, and who reads them."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.settings = {"bootstrap.servers": kafka}
        self.prefix = prefix
        self.admin = AdminClient(dict(self.settings))
        self.intakes: list[Intake] = []
        self._reader = Consumer(
            {
                **self.settings,
                "group.id": f"{prefix}reader",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        self._seen: list[bytes] = []
        ensure_topics(self.settings, SPECS, prefix, 1)
        self._reader.assign([TopicPartition(f"{prefix}out", 0, 0)])

    def create(self, topic: str, partitions: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                new = NewTopic(self.prefix + topic, partitions, 1)
                self.admin.create_topics([new], operation_timeout=30)[self.prefix + topic].result()
            except KafkaException as error:  # a deletion is not through at once
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS" or time.monotonic() > deadline:
                    raise
            else:
                return

    def delete(self, topic: str) -> None:
        self.admin.delete_topics([self.prefix + topic], operation_timeout=30)[self.prefix + topic].result()

    def send(self, topic: str, values: Sequence[str], partition: int = 0) -> None:
        producer = Producer(self.settings)
        for value in values:
            producer.produce(self.prefix + topic, value.encode(), partition=partition)
        assert producer.flush(30) == 0

    def forget(self, topic: str, before: int) -> None:
        """Retention deletes what lies before an offset."""
        at = TopicPartition(self.prefix + topic, 0, before)
        self.admin.delete_records([at])[at].result()

    def allow(self, forbidden: AclBinding) -> None:
        """Takes a prohibition back."""
        found = AclBindingFilter(*(getattr(forbidden, field) for field in ACL_FIELDS))
        self.admin.delete_acls([found])[found].result()

    def intake(
        self,
        topics: Sequence[str] = ("a", "b"),
        instance: str = "one",
        epochs: Mapping[str, int] | None = None,
        protocol: GroupProtocol = "classic",
    ) -> Intake:
        self.intakes.append(Intake(self, topics, instance, epochs or {}, protocol))
        return self.intakes[-1]

    def stop(self, intake: Intake) -> None:
        intake.worker.close()
        self.intakes.remove(intake)

    def read(self) -> list[str]:
        """Everything that came out so far."""
        while found := self._reader.consume(1000, 0.1):
            self._seen += [raw.value() or b"" for raw in found if raw.error() is None]
        return [value.decode() for value in self._seen]

    def has(self, *values: Sequence[str]) -> Callable[[], bool]:
        """Whether all of these came out."""
        wanted = {value for some in values for value in some}
        return lambda: wanted <= set(self.read())

    def close(self) -> None:
        for intake in self.intakes:
            intake.worker.close()
        self._reader.close()


@pytest.fixture
def sources(kafka: str, unique: str) -> Iterator[Sources]:
    sources = Sources(kafka, unique)
    yield sources
    sources.close()


def events(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def test_events_deleted_before_they_were_read_stop_their_topic_alone_until_an_operator_gives_them_up(
    sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    sources.create("a")
    sources.create("b")
    sources.send("a", events("early", 10))
    intake = sources.intake()
    intake.until(sources.has(events("early", 10)))
    sources.stop(intake)
    sources.send("a", events("lost", 10))
    sources.forget("a", 15)
    sources.send("b", events("other", 10))
    again = sources.intake()
    again.until(lambda: bool(again.unread("a")) and sources.has(events("other", 10))())
    why = again.unread("a")
    assert f"{sources.prefix}a/0: committed is offset 10, the oldest there is 15: 5 offsets (10 to 14) were deleted" in why
    assert f"singleview init --skip-lost {sources.prefix}a" in why
    assert not [value for value in sources.read() if value.startswith("lost")]
    sources.send("a", events("late", 10))
    assert [at.partition for at in give_up(sources.settings, f"{sources.prefix}intake", [f"{sources.prefix}a"])] == [0]
    again.until(sources.has(events("lost", 10)[5:], events("late", 10)), SOON)
    assert again.unread("a") == ""
    assert "5 offsets (10 to 14) are given up, as told" in caplog.text
    assert sorted(sources.read()) == sorted(
        [*events("early", 10), *events("other", 10), *events("lost", 10)[5:], *events("late", 10)]
    )


def test_events_deleted_while_their_topic_is_read_stop_it_alone(sources: Sources) -> None:
    sources.create("a")
    sources.create("b")
    intake = sources.intake()
    sources.send("a", events("early", 3))
    intake.until(sources.has(events("early", 3)))
    partition = TopicPartition(f"{sources.prefix}a", 0)
    intake.session._consumer.pause([partition])  # it is slow, and falls behind
    sources.send("a", events("lost", 10))
    sources.forget("a", 8)
    intake.session._consumer.resume([partition])
    intake.until(lambda: "5 offsets (3 to 7) were deleted" in intake.unread("a"))
    sources.send("b", events("other", 10))
    intake.until(sources.has(events("other", 10)))
    assert not [value for value in sources.read() if value.startswith("lost")]


def test_a_topic_made_anew_while_it_is_read_is_read_from_its_beginning(
    sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    sources.create("a")
    sources.create("b")
    sources.send("a", events("old", 20))
    intake = sources.intake()
    intake.until(sources.has(events("old", 20)))
    sources.delete("a")
    sources.create("a")
    sources.send("a", events("new", 60))
    sources.send("b", events("other", 10))
    intake.until(sources.has(events("new", 60), events("other", 10)), 2 * SOON)
    assert "was deleted and made anew" in caplog.text
    assert sum(intake.session.read_again().values()) == 1
    sources.send("a", events("newer", 5))
    intake.until(sources.has(events("newer", 5)))
    sources.stop(intake)
    caplog.clear()
    sources.send("a", events("newest", 5))
    again = sources.intake()
    again.until(sources.has(events("newest", 5)))
    assert "made anew" not in caplog.text
    assert sources.read().count("new0") == 1


def test_a_topic_made_anew_while_nobody_reads_is_read_from_its_beginning(sources: Sources) -> None:
    sources.create("a")
    sources.create("b")
    sources.send("a", events("old", 20))
    intake = sources.intake()
    intake.until(sources.has(events("old", 20)))
    sources.stop(intake)
    sources.delete("a")
    sources.create("a")
    sources.send("a", events("new", 60))
    again = sources.intake()
    again.until(sources.has(events("new", 60)))
    assert sources.read().count("old0") == 1


def test_a_topic_made_anew_whose_offsets_order_its_events_stops_until_its_epoch_is_raised(sources: Sources) -> None:
    sources.create("a")
    sources.create("b")
    sources.send("a", events("old", 20))
    intake = sources.intake(epochs={"a": 3})
    intake.until(sources.has(events("old", 20)))
    sources.delete("a")
    sources.create("a")
    sources.send("a", events("new", 10))
    intake.until(lambda: "set `epoch: 4` in its mapping" in intake.unread("a"), 2 * SOON)
    sources.send("b", events("other", 10))
    intake.until(sources.has(events("other", 10)))
    sources.stop(intake)
    hasty = sources.intake(epochs={"a": 3})
    hasty.until(lambda: "set `epoch: 4` in its mapping" in hasty.unread("a"))
    sources.stop(hasty)
    raised = sources.intake(epochs={"a": 4})
    raised.until(sources.has(events("new", 10)))
    assert raised.unread("a") == ""


def test_a_topic_that_may_not_be_read_is_named_and_read_as_soon_as_it_may(unique: str) -> None:
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with launch_kafka(settings) as broker, closing(Sources(broker.address, unique)) as sources:
        sources.create("a")
        sources.create("b")
        sources.send("a", events("secret", 10))
        sources.send("b", events("other", 10))
        read, describe = (forbidding(f"{unique}a", operation) for operation in (AclOperation.READ, AclOperation.DESCRIBE))
        sources.admin.create_acls([read])[read].result()
        intake = sources.intake()
        intake.until(lambda: "allow READ" in intake.unread("a") and sources.has(events("other", 10))())
        sources.allow(read)
        intake.until(sources.has(events("secret", 10)), SOON)
        intake.until(lambda: intake.unread("a") == "", SOON)
        sources.admin.create_acls([describe])[describe].result()
        intake.until(lambda: "allow READ" in intake.unread("a"), SOON)
        sources.send("b", events("more", 10))
        intake.until(sources.has(events("more", 10)))
        sources.allow(describe)
        sources.send("a", events("late", 10))
        intake.until(sources.has(events("late", 10)), SOON)


def forbidding(topic: str, operation: AclOperation) -> AclBinding:
    """Forbids something to everybody."""
    return AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", operation, AclPermissionType.DENY
    )


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_source_taken_out_of_the_configuration_does_not_disturb_the_others(
    sources: Sources, protocol: GroupProtocol, caplog: pytest.LogCaptureFixture
) -> None:
    """The group gives a static member that comes back what it had: also what it no longer reads."""
    sources.create("a")
    sources.create("b")
    first = sources.intake(protocol=protocol)
    first.until(lambda: len(first.worker.partitions) == 2)
    sources.stop(first)
    sources.send("a", events("early", 10))
    again = sources.intake(["a"], protocol=protocol)
    again.until(sources.has(events("early", 10)))
    assert again.session.unread() == {}
    assert "ERROR" not in {record.levelname for record in caplog.records}


def test_of_two_configurations_at_once_each_topic_is_read_by_who_has_it(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rolling restart: one host no longer reads a source, the other still does."""
    monkeypatch.setattr(kafka_orphans, "LOOK_SECONDS", 0.5)
    sources.create("a")
    sources.create("b")
    one, two = sources.intake(instance="one"), sources.intake(instance="two")
    run([one, two], lambda: len(one.worker.partitions) == len(two.worker.partitions) == 1)
    holds_b = next(intake for intake in (one, two) if intake.worker.partitions[0].topic.endswith("b"))
    other = two if holds_b is one else one
    sources.stop(holds_b)
    again = sources.intake(["a"], instance="one" if holds_b is one else "two")
    sources.send("a", events("first", 10))
    sources.send("b", events("second", 10))
    run([again, other], sources.has(events("first", 10), events("second", 10)), 2 * SOON)


def test_a_topic_made_later_and_partitions_added_later_are_read_within_seconds(sources: Sources) -> None:
    sources.create("a")
    intake = sources.intake()
    sources.send("a", events("early", 10))
    intake.until(sources.has(events("early", 10)))
    intake.until(lambda: "does not exist yet" in intake.unread("b"), SOON)
    sources.create("b")
    sources.send("b", events("later", 10))
    intake.until(sources.has(events("later", 10)), SOON)
    intake.until(lambda: intake.unread("b") == "", SOON)
    added = NewPartitions(f"{sources.prefix}a", 3)
    sources.admin.create_partitions([added], operation_timeout=30)[f"{sources.prefix}a"].result()
    sources.send("a", events("wider", 10), partition=2)
    intake.until(sources.has(events("wider", 10)), SOON)
