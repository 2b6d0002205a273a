"""The same events through a real Kafka, as several processes, give the views the embedded pipeline gives."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES
from connectors.simulated.files import read_folder, write_folder
from streams.app.config import Configuration
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment
from tests.e2e.processes import SECRET, singleview
from tests.e2e.views import View, comparable, latest_views

pytestmark = [pytest.mark.kafka, pytest.mark.registry]

CUSTOMERS = 400
PROCESSES = (("intake", "records", "notify"), ("identity", "customers"))
PATIENCE = 180.0


def read_topic(kafka: str, topic: str, registry: str) -> dict[str, View]:
    """The latest value of every key, as a warehouse reads it: a plain consumer that knows only the registry."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"{topic}-warehouse",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    with SchemaRegistryClient({"url": registry}) as client:
        decode = AvroDeserializer(client)
        context = SerializationContext(topic, MessageField.VALUE)
        partitions = [TopicPartition(topic, p, 0) for p in consumer.list_topics(topic, 30).topics[topic].partitions]
        consumer.assign(partitions)
        ended: set[int | None] = set()
        found: dict[str, View] = {}
        while len(ended) < len(partitions):
            for message in consumer.consume(1_000, 0.2):
                if message.error():
                    ended.add(message.partition())
                    continue
                key = (message.key() or b"").decode()
                found[key] = decode(message.value(), context)
        consumer.close()
    return found


def lag(kafka: str, group: str, topics: list[str]) -> int:
    """Messages a group has not consumed yet."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group})  # asks only: it never joins
    partitions = [TopicPartition(t, p) for t in topics for p in consumer.list_topics(t, 30).topics[t].partitions]
    committed = consumer.committed(partitions, 30)
    total = 0
    for partition in committed:
        low, high = consumer.get_watermark_offsets(TopicPartition(partition.topic, partition.partition), 30)
        # The last offsets may be transaction markers, which no reader consumes: count messages, not offsets.
        start = max(partition.offset, low)
        total += 0 if start >= high else _messages(kafka, partition.topic, partition.partition, start)
    consumer.close()
    return total


def _messages(kafka: str, topic: str, partition: int, start: int) -> int:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "lag", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, start)])
    count = 0
    while True:
        for message in consumer.consume(1_000, 0.2):
            if message.error():
                consumer.close()
                return count
            count += 1


def configure(folder: Path, **kafka_settings: Any) -> Path:
    config = folder / "singleview.yaml"
    document = {
        "data": "data",
        "realms": {"north": 0, "south": 1},
        "sources": [str(shipped_mapping(name)) for name in SOURCES],
        "subscribers": [{"name": "warehouse"}, {"name": "mdm", "attributes": ["name", "phones"]}],
        **kafka_settings,
    }
    config.write_text(yaml.safe_dump(document))
    return config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(CUSTOMERS, 7, tmp_path / "events", lambda done: None)
    return tmp_path


def embedded_views(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[frozenset[str], View]:
    monkeypatch.setenv("SINGLEVIEW_SECRET", SECRET)
    (folder / "embedded").mkdir()
    deployment = Deployment(Configuration.load(configure(folder / "embedded")))
    with Pipeline(deployment) as pipeline:
        for _ in pipeline.publish(read_folder(folder / "events"), 0):
            pass
        for _ in pipeline.run():
            pass
        return comparable(latest_views(pipeline.log))


def without_topics(kafka: str, topics: list[str]) -> None:
    """Source topics have fixed names: what another run left in them must go."""
    admin = AdminClient({"bootstrap.servers": kafka})
    there = [topic for topic in topics if topic in admin.list_topics(timeout=30).topics]
    for future in admin.delete_topics(there).values() if there else ():
        future.result()
    deadline = time.monotonic() + PATIENCE
    while set(there) & admin.list_topics(timeout=30).topics.keys():
        assert time.monotonic() < deadline
        admin.poll(0.1)


def test_two_processes_over_kafka_give_the_views_of_the_embedded_pipeline(
    kafka: str, registry: str, unique: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_topics(kafka, list(SOURCES.values()))
    config = configure(folder, prefix=unique, kafka={"bootstrap.servers": kafka}, registry={"url": registry})
    for command in (["init"], ["publish", str(folder / "events")]):
        assert singleview(*command, "--config", str(config)).wait(PATIENCE) == 0, command
    running = [
        singleview("run", *names, "--config", str(config), "--instance", f"test-{number}")
        for number, names in enumerate(PROCESSES)
    ]
    try:
        wait_until_consumed(kafka, unique, running)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in running]
    assert codes == [0, 0]
    views = read_topic(kafka, unique + "customer-view", registry)
    expected = embedded_views(folder, monkeypatch)
    found = comparable(views.values())
    assert found.keys() == expected.keys()
    assert found == expected
    customer, view = next((key, view) for key, view in sorted(views.items()) if len(view["members"]) > 2)
    shows_the_view(config, customer, view)
    explains_the_members(config, customer, view)


def asked(*arguments: str) -> dict[str, Any]:
    """What a command says with --json."""
    process = singleview(*arguments, "--json", stdout=subprocess.PIPE)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    answer: dict[str, Any] = json.loads(said)
    return answer


def shows_the_view(config: Path, customer: str, view: View) -> None:
    """`show` looks into the deployment itself: the pipeline need not run, and is not touched."""
    shown = asked("show", view["members"][0], "--config", str(config))
    assert shown["view"]["customer_id"] == customer
    assert shown["view"]["version"] == view["version"]
    assert [member["record"] for member in shown["members"]] == view["members"]
    assert [change["version"] for change in shown["history"] if change["customer_id"] == customer] == list(
        range(1, view["version"] + 1)
    )


def explains_the_members(config: Path, customer: str, view: View) -> None:
    why = asked("why", view["members"][0], view["members"][1], "--config", str(config))
    assert why["same_customer"]
    assert why["customers"] == [customer, customer]


def wait_until_consumed(kafka: str, prefix: str, running: list[subprocess.Popen[bytes]]) -> None:
    inboxes = {name: [prefix + name] for name in ("records", "identity", "customers")}
    inboxes |= {"intake": list(SOURCES.values()), "notify": [prefix + "customer-changes"]}
    deadline = time.monotonic() + PATIENCE
    quiet = 0
    while quiet < 2:  # once more, as a message may have been on its way while the lag was read
        left = {name: lag(kafka, prefix + name, topics) for name, topics in inboxes.items()}
        quiet = quiet + 1 if not any(left.values()) else 0
        assert time.monotonic() < deadline, f"not consumed in time: {left}"
        assert all(process.poll() is None for process in running), "a process has ended"
