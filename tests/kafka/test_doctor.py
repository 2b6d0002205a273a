"""`singleview doctor` beside a real Kafka and registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from connectors.logs.groups import describe_group, positions
from connectors.logs.release import broker_level, release_of
from connectors.mappings import shipped_mapping
from connectors.registry import ConfluentRegistry
from tests.command_line import CommandLine, Outcome
from tests.kafka.deployed import Deployed
from tests.parts.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


class Found(NamedTuple):
    code: int
    checks: list[dict[str, str]]
    err: str

    def of(self, area: str, status: str) -> list[dict[str, str]]:
        return [check for check in self.checks if check["area"] == area and check["status"] == status]


class Plant:
    """A deployment of its own on shared parts."""

    def __init__(self, singleview: CommandLine, folder: Path, kafka: str, registry: str, prefix: str) -> None:
        self.prefix = prefix
        self._singleview = singleview
        self._config = folder / "singleview.yaml"
        self._document: dict[str, Any] = {
            "data": "data",
            "prefix": prefix,
            "realms": {"north": 0},
            "sources": [str(shipped_mapping("partner"))],
            "kafka": {"bootstrap.servers": kafka},
            "registry": {"url": registry},
        }
        self.configure()

    def configure(self, **changes: Any) -> None:
        self._document |= changes
        self._config.write_text(yaml.safe_dump(self._document))

    def init(self, *options: str, code: int = 0) -> Outcome:
        told = self._singleview("init", "--config", self._config, *options)
        assert told.code == code
        return told

    def read_source(self, topic: str) -> None:
        """Instead of the others."""
        mapping = yaml.safe_load(shipped_mapping("partner").read_text()) | {"topics": [topic]}
        path = self._config.with_name("partner.yaml")
        path.write_text(yaml.safe_dump(mapping))
        self.configure(sources=[str(path)])

    def doctor(self) -> Found:
        found = self._singleview("doctor", "--config", self._config, "--json")
        return Found(found.code, msgspec.json.decode(found.out)["checks"], found.err)

    def table(self) -> str:
        return self._singleview("doctor", "--config", self._config).out


@pytest.fixture
def plant(
    singleview: CommandLine, tmp_path: Path, kafka: str, registry: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Plant:
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a secret of this test alone")
    return Plant(singleview, tmp_path, kafka, registry, unique)


def test_before_init_every_missing_topic_is_an_error_with_the_command_and_nothing_is_made(plant: Plant, kafka: str) -> None:
    found = plant.doctor()
    assert found.code == 1
    missing = found.of("topics", "error")
    assert {check["fix"] for check in missing} == {"run `singleview init`"}
    assert f"{plant.prefix}records-table" in {check["what"] for check in missing}
    topics = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    assert not [topic for topic in topics if topic.startswith(plant.prefix)]


def test_after_init_all_is_well_but_for_what_does_not_run_yet(plant: Plant, registry: str) -> None:
    plant.init()
    found = plant.doctor()
    assert (found.code, [check for check in found.checks if check["status"] == "error"]) == (0, [])
    assert {check["what"] for check in found.of("groups", "warning")} >= {f"{plant.prefix}records", f"{plant.prefix}notify"}
    assert {check["what"] for check in found.of("registry", "ok")} == {"reachable", "compatibility BACKWARD", "schemas"}
    assert found.of("brokers", "ok")[-1]["found"] == "fit for group.protocol=classic"
    with ConfluentRegistry({"url": registry}) as client:
        subjects = client._client.get_subjects(deleted=True)
    assert not [subject for subject in subjects if subject.startswith(f"{plant.prefix}doctor")]


def test_what_init_refuses_and_what_it_leaves_is_found_with_the_fix(plant: Plant, kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    kept_short = NewTopic(f"{plant.prefix}customer-changes", 4, 1, config={"retention.ms": "1000"})
    too_few = NewTopic(f"{plant.prefix}records-table", 1, 1, config={"cleanup.policy": "delete"})
    for future in admin.create_topics([kept_short, too_few], operation_timeout=30).values():
        future.result()
    found = plant.doctor()
    errors = [check for check in found.of("topics", "error") if check["what"] == f"{plant.prefix}records-table"]
    assert "1 partitions, not 4" in errors[0]["found"]
    assert "cleanup.policy=delete, not compact" in errors[1]["found"]
    assert "kafka-configs.sh" in errors[1]["fix"]
    warnings = [check["found"] for check in found.of("topics", "warning")]
    assert any("retention.ms=1000" in warning for warning in warnings)


def test_a_broker_and_a_registry_that_are_away_are_errors_and_the_rest_is_still_looked_at(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.app.broker.PATIENCE_SECONDS", 2.0)
    nowhere = f"127.0.0.1:{free_port()}"
    plant.configure(kafka={"bootstrap.servers": nowhere}, registry={"url": f"http://{nowhere}"})
    found = plant.doctor()
    assert found.code == 1
    assert [check["what"] for check in found.of("brokers", "error")] == ["reachable"]
    assert [check["what"] for check in found.of("registry", "error")] == ["reachable"]
    assert found.of("topics", "error") == found.of("groups", "error") == []
    assert found.of("stores", "ok")


def test_events_deleted_before_they_were_read_are_named_with_the_command_that_gives_them_up(
    plant: Plant, kafka: str, unique: str
) -> None:
    topic = f"{unique}partner"
    plant.read_source(topic)
    plant.init()
    settings = {"bootstrap.servers": kafka}
    admin, producer = AdminClient(dict(settings)), Producer(settings)
    admin.create_topics([NewTopic(topic, 1, 1)], operation_timeout=30)[topic].result()
    for number in range(10):
        producer.produce(topic, b"%d" % number, partition=0)
    producer.flush(30)
    group = Consumer({**settings, "group.id": f"{unique}intake"})
    group.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    group.close()
    first = TopicPartition(topic, 0, 8)
    admin.delete_records([first])[first].result()
    (error,) = plant.doctor().of("groups", "error")
    assert f"{topic}/0 was read to 3, but is there from 8 to 10" in error["found"]
    assert f"singleview init --skip-lost {topic}" in error["fix"]
    told = plant.init("--skip-lost", topic)
    assert f"{topic}/0: 5 offsets (3 to 7) are given up; it is read on at 8" in told.out
    assert plant.init("--skip-lost", f"{unique}nothing", code=2).err.startswith("error: --skip-lost: no processor")


def test_people_get_a_table_with_the_fix_under_what_was_found(plant: Plant) -> None:
    table = plant.table()
    assert "does not exist" in table
    assert "→ run `singleview init`" in table


def test_a_group_is_seen_with_its_members_offsets_and_lag(kafka: str, unique: str) -> None:
    settings = {"bootstrap.servers": kafka}
    admin = AdminClient(dict(settings))
    admin.create_topics([NewTopic(f"{unique}in", 2, 1)], operation_timeout=30)[f"{unique}in"].result()
    consumer = Consumer({**settings, "group.id": f"{unique}group"})
    consumer.commit(offsets=[TopicPartition(f"{unique}in", 1, 0)], asynchronous=False)
    found = positions(settings, f"{unique}group", [f"{unique}in", f"{unique}missing"])
    assert [(at.partition, at.committed, at.end, at.lag) for at in found] == [(0, None, 0, 0), (1, 0, 0, 0)]
    consumer.subscribe([f"{unique}in"])
    while not consumer.assignment():
        consumer.poll(0.2)
    assert len(describe_group(settings, f"{unique}group").members) == 1
    consumer.close()
    assert describe_group(settings, f"{unique}group").members == ()


def test_a_real_broker_tells_its_release(kafka: str) -> None:
    host, _, port = kafka.rpartition(":")
    assert release_of(broker_level(host, int(port), {}, 10)) == "4.4 or newer"


def test_messages_that_wait_and_are_not_read_are_told_and_markers_are_no_messages(deployed: Deployed) -> None:
    deployed.init()
    group, source = {"group.id": deployed.of("intake"), "enable.auto.commit": False}, deployed.source
    producer = Producer({"bootstrap.servers": deployed.kafka, "transactional.id": source})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(source, b"{}")
    producer.commit_transaction(30)
    member = Consumer({"bootstrap.servers": deployed.kafka, **group, "partition.assignment.strategy": "cooperative-sticky"})
    try:
        member.subscribe([source])
        while not member.assignment():
            member.poll(0.1)
        told = [check.found for check in deployed.troubles("groups", "warning") if "messages wait" in check.found]
        assert told == [f"messages wait in {source}/0, and none was read for 3 s"]
        member.commit(offsets=[TopicPartition(source, 0, 1)], asynchronous=False)  # the marker is behind it
        assert not [check for check in deployed.troubles("groups", "warning") if "messages wait" in check.found]
    finally:
        member.close()
