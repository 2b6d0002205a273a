"""Bad input on a real Kafka, where messages have sizes, and a source is a topic of somebody else."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not declare it

from connectors.registry import ConfluentRegistry
from schemas.topics import LARGEST_MESSAGE_BYTES
from streams.engine.contract import Headers
from streams.engine.dead_letters import PREFIX, reason_of
from tests.e2e.bad_events import (
    AGENCY,
    AGENCY_MAPPING,
    BILLING,
    PERSONAL,
    TOPICS,
    TWO_MEGABYTES,
    Event,
    agency_event,
    bad_events,
    deployment,
    good_events,
    mixed,
)
from tests.e2e.processes import singleview

pytestmark = [pytest.mark.kafka, pytest.mark.registry]

PATIENCE = 90.0
STOP_RULE = {"stop_share": 0.5, "window": 20, "least": 10}
PEOPLE = 40
LARGEST_EVENT = LARGEST_MESSAGE_BYTES + TWO_MEGABYTES


class Site:
    """A deployment on the broker: its configuration, its source topics, what comes out."""

    def __init__(self, folder: Path, kafka: str, registry: str, prefix: str) -> None:
        self.kafka = kafka
        self.registry = registry
        self.prefix = prefix
        self._folder = folder
        self.output = folder / "stdout.json"
        self.errors = folder / "stderr.txt"
        new = [NewTopic(prefix + t, 1, 1, config={"max.message.bytes": str(LARGEST_EVENT)}) for t in TOPICS]
        admin = AdminClient({"bootstrap.servers": kafka})
        for created in admin.create_topics(new).values():
            created.result()

    def configure(self, agency: str = AGENCY_MAPPING) -> Path:
        return deployment(
            self._folder,
            self.prefix,
            agency,
            kafka={"bootstrap.servers": self.kafka},
            registry={"url": self.registry},
            dead_letters=STOP_RULE,
        )

    def publish(self, events: Sequence[Event]) -> None:
        refused: list[object] = []
        producer = Producer({"bootstrap.servers": self.kafka, "message.max.bytes": LARGEST_EVENT})
        for event in events:
            producer.produce(
                self.prefix + event.topic,
                event.value,
                event.key,
                headers=list(event.headers),
                on_delivery=lambda error, _: refused.append(error) if error else None,
            )
        assert producer.flush(30) == 0
        assert refused == []

    @contextmanager
    def running(self, config: Path) -> Iterator[subprocess.Popen[bytes]]:
        """`singleview run --json`, ended kindly, which must be fine; what it says is in `output` and `errors`."""
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            arguments = ("run", "--config", str(config), "--processes", "1", "--json")
            process = singleview(*arguments, stdout=output, stderr=errors)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()
        assert process.returncode == 0, self.errors.read_text()

    def letters(self) -> list[Message]:
        """The dead letters there are."""
        settings = {"bootstrap.servers": self.kafka, "group.id": f"{self.prefix}reader", "enable.partition.eof": True}
        with closing(Consumer({**settings, "isolation.level": "read_committed"})) as consumer:
            consumer.assign([TopicPartition(self.prefix + "dead-letters", 0, 0)])
            found: list[Message] = []
            while True:
                for message in consumer.consume(100, 0.5):
                    if message.error():
                        return found
                    found.append(message)

    def consumed(self, topic: str) -> int:
        """The next offset intake reads of a source topic."""
        group = f"{self.prefix}intake"
        with closing(Consumer({"bootstrap.servers": self.kafka, "group.id": group})) as consumer:
            (found,) = consumer.committed([TopicPartition(self.prefix + topic, 0)], 10)
            return max(found.offset, 0)


@pytest.fixture
def site(tmp_path: Path, kafka: str, registry: str, unique: str) -> Site:
    return Site(tmp_path, kafka, registry, unique)


def wait_until(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert process.poll() is None, "singleview has ended"
        assert time.monotonic() < deadline, "not in time"


def test_bad_events_are_dead_letters_and_a_stopped_source_goes_on_once_corrected(site: Site) -> None:
    config = site.configure(agency=AGENCY_MAPPING.replace("record_id: id", "record_id: number"))
    assert singleview("init", "--config", str(config)).wait(PATIENCE) == 0
    bad = [event for event in bad_events() if event.topic != AGENCY]
    with closing(ConfluentRegistry({"url": site.registry})) as registry:
        others = mixed(list(good_events(registry, customers=20, prefix=site.prefix))[:-10], bad, seed=5)
    site.publish([*(agency_event(number, born="2000-01-01") for number in range(PEOPLE)), *others])
    sent = {topic: sum(event.topic == topic for event in others) for topic in TOPICS if topic != AGENCY}

    with site.running(config) as process:
        wait_until(lambda: all(site.consumed(topic) == count for topic, count in sent.items()), process)
        wait_until(lambda: site.consumed(AGENCY) == 9, process)
    said = json.loads(site.output.read_bytes())
    assert said["stopped_sources"].keys() == {site.prefix + AGENCY}
    assert said["failures"] == {}
    errors = site.errors.read_text()
    assert f"stopped reading {site.prefix}{AGENCY}" in errors
    assert "missing-record-id" in errors
    assert PERSONAL not in errors
    letters = {letter.key(): letter for letter in site.letters()}
    for event in bad:
        assert_kept_whole(letters.pop(event.key), event, site.prefix)
    assert len(letters) == 9
    assert {reason_of(headers_of(letter)) for letter in letters.values()} == {"missing-record-id"}

    with site.running(site.configure()) as process:
        wait_until(lambda: site.consumed(AGENCY) == PEOPLE, process)
    assert len(site.letters()) == len(bad) + 9


def test_an_event_larger_than_a_dead_letter_can_be_stops_its_source_alone(site: Site) -> None:
    config = site.configure()
    assert singleview("init", "--config", str(config)).wait(PATIENCE) == 0
    too_large = agency_event(5, note="x" * LARGEST_MESSAGE_BYTES)
    bills = [event for event in bad_events() if event.topic == BILLING]
    site.publish([*map(agency_event, range(5)), too_large, *map(agency_event, range(6, 10)), *bills])

    with site.running(config) as process:
        wait_until(lambda: site.consumed(AGENCY) == 5, process)
        wait_until(lambda: site.consumed(BILLING) == len(bills), process)
    said = json.loads(site.output.read_bytes())
    assert said["stopped_sources"].keys() == {site.prefix + AGENCY}
    assert said["failures"] == {}
    errors = site.errors.read_text()
    assert f"stopped reading {site.prefix}{AGENCY} at {site.prefix}{AGENCY}/0/5: too-large" in errors
    assert "nothing done, again" not in errors
    assert PERSONAL not in errors
    assert len(site.letters()) == len(bills)


def headers_of(letter: Message) -> Headers:
    return tuple(letter.headers() or ())  # type: ignore[arg-type]  # its stubs say they may be text


def assert_kept_whole(letter: Message, event: Event, prefix: str) -> None:
    headers = headers_of(letter)
    assert letter.value() == event.value
    assert headers[: len(event.headers)] == event.headers
    why = {name.removeprefix(PREFIX): (text or b"").decode() for name, text in headers[len(event.headers) :]}
    assert why["exception.class.name"] == event.reason
    assert why["topic"] == prefix + event.topic
    assert why["stage"] == "intake"
    assert PERSONAL not in str(why)
