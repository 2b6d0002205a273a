"""Topics and first offsets on a real Kafka."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from connectors.logs.topics import (
    ActiveGroupError,
    TopicMismatchError,
    TopicReport,
    ensure_topics,
    first_offsets,
    topic_config,
)
from schemas.topics import TopicSpec
from tests.parts import Part

pytestmark = pytest.mark.kafka

TABLE = TopicSpec("records-table", 2, compacted=True, retention_ms=-1, max_message_bytes=1_000_000)
INBOX = TopicSpec("records", 3, compacted=False, retention_ms=-1, max_message_bytes=2_000_000)
SPECS = (TABLE, INBOX)


@pytest.fixture
def config(kafka: str) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": kafka}


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka})


Config = dict[str, str | int | float | bool]


def settings(admin: AdminClient, topic: str) -> dict[str, str | None]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = admin.describe_configs([resource])[resource].result()
    return {entry.name: entry.value for entry in entries.values()}


def make(admin: AdminClient, topic: str, partitions: int, **config: str) -> None:
    new = NewTopic(topic, partitions, 1, config={name.replace("_", "."): value for name, value in config.items()})
    admin.create_topics([new], operation_timeout=30)[topic].result()
    while topic not in admin.list_topics(timeout=30).topics:
        admin.poll(0.05)


def committed(kafka: str, group: str, topic: str, partitions: int) -> list[int]:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group})
    try:
        return [p.offset for p in consumer.committed([TopicPartition(topic, i) for i in range(partitions)], timeout=30)]
    finally:
        consumer.close()


def test_missing_topics_are_created_with_their_partitions_and_settings(
    config: Config, admin: AdminClient, unique: str
) -> None:
    report = ensure_topics(config, SPECS, unique, replication=1)
    assert report == TopicReport(created=(unique + "records-table", unique + "records"), existing=(), differences=())
    for spec in SPECS:
        topic = unique + spec.name
        assert len(admin.list_topics(topic, timeout=30).topics[topic].partitions) == spec.partitions
        assert topic_config(spec).items() <= settings(admin, topic).items()


def test_a_second_time_finds_everything_in_place(config: Config, unique: str) -> None:
    ensure_topics(config, SPECS, unique, replication=1)
    again = ensure_topics(config, SPECS, unique, replication=1)
    assert again == TopicReport(created=(), existing=(unique + "records-table", unique + "records"), differences=())


def test_processes_that_create_the_same_topics_at_once_do_not_disturb_each_other(config: Config, unique: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: ensure_topics(config, SPECS, unique, replication=1), range(4)))
    assert sorted(name for report in reports for name in report.created) == [unique + "records", unique + "records-table"]


def test_every_misfit_is_listed_with_its_fix_and_nothing_is_created(config: Config, admin: AdminClient, unique: str) -> None:
    make(admin, unique + "records", 5)
    make(admin, unique + "records-table", 2, cleanup_policy="delete")
    other = TopicSpec("identity", 1, compacted=False, retention_ms=-1, max_message_bytes=1_000_000)
    with pytest.raises(TopicMismatchError) as caught:
        ensure_topics(config, [*SPECS, other], unique, replication=1)
    problems = sorted(caught.value.problems)
    assert len(problems) == 3
    assert problems[0].startswith(f"{unique}records has 5 partitions, not 3: ")
    assert problems[1].startswith(f"{unique}records-table has cleanup.policy=delete, not compact: ")
    assert f"--entity-name {unique}records-table --add-config cleanup.policy=compact" in problems[1]
    assert problems[2].startswith(f"{unique}records-table has delete.retention.ms=86400000, not 604800000: ")
    assert unique + "identity" not in admin.list_topics(timeout=30).topics


def test_too_few_replicas_are_a_misfit(config: Config, unique: str) -> None:
    ensure_topics(config, [INBOX], unique, replication=1)
    with pytest.raises(TopicMismatchError, match="records has 1 replicas, not 3"):
        ensure_topics(config, [INBOX], unique, replication=3)


def test_tombstones_that_go_too_early_are_a_misfit(config: Config, admin: AdminClient, unique: str) -> None:
    make(admin, unique + "records-table", 2, **(topic_config(TABLE) | {"delete.retention.ms": "86400000"}))
    with pytest.raises(TopicMismatchError, match=r"records-table has delete\.retention\.ms=86400000, not 604800000: run"):
        ensure_topics(config, [TABLE], unique, replication=1)


def test_another_retention_is_reported_and_left_to_the_operator(config: Config, admin: AdminClient, unique: str) -> None:
    make(admin, unique + "records", 3, **(topic_config(INBOX) | {"retention.ms": "1000"}))
    report = ensure_topics(config, [INBOX], unique, replication=1)
    assert [text.partition(":")[0] for text in report.differences] == [f"{unique}records has retention.ms=1000, not -1"]
    assert settings(admin, unique + "records")["retention.ms"] == "1000"


def test_first_offsets_are_the_earliest_on_every_partition(config: Config, kafka: str, unique: str) -> None:
    ensure_topics(config, [INBOX], unique, replication=1)
    assert first_offsets(config, unique + "group", [unique + "records"]) == 3
    assert committed(kafka, unique + "group", unique + "records", 3) == [0, 0, 0]


def test_first_offsets_start_where_a_purged_partition_starts(
    config: Config, admin: AdminClient, kafka: str, unique: str
) -> None:
    topic = unique + "records"
    ensure_topics(config, [INBOX], unique, replication=1)
    producer = Producer({"bootstrap.servers": kafka})
    for _ in range(10):
        producer.produce(topic, b"x", partition=1)
    assert producer.flush(30) == 0
    for future in admin.delete_records([TopicPartition(topic, 1, 7)]).values():
        future.result()
    first_offsets(config, unique + "group", [topic])
    assert committed(kafka, unique + "group", topic, 3) == [0, 7, 0]


def test_first_offsets_can_be_set_on_a_cluster_that_has_never_seen_a_group(own_kafka: Part, unique: str) -> None:
    config: Config = {"bootstrap.servers": own_kafka.address}
    ensure_topics(config, SPECS, unique, replication=1)
    assert first_offsets(config, unique + "group", [unique + "records", unique + "records-table"]) == 5


def test_an_offset_that_is_committed_stays(config: Config, kafka: str, unique: str) -> None:
    topic = unique + "records"
    ensure_topics(config, [INBOX], unique, replication=1)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": unique + "group"})
    consumer.commit(offsets=[TopicPartition(topic, 2, 5)], asynchronous=False)
    consumer.close()
    assert first_offsets(config, unique + "group", [topic]) == 2
    assert first_offsets(config, unique + "group", [topic]) == 0
    assert committed(kafka, unique + "group", topic, 3) == [0, 0, 5]


def test_a_running_group_without_offsets_is_asked_to_stop(config: Config, kafka: str, unique: str) -> None:
    ensure_topics(config, SPECS, unique, replication=1)
    member = Consumer({"bootstrap.servers": kafka, "group.id": unique + "group", "enable.auto.commit": False})
    try:
        member.subscribe([unique + "records-table"])
        while not member.assignment():
            member.poll(0.1)
        with pytest.raises(ActiveGroupError, match="stop them and run init again"):
            first_offsets(config, unique + "group", [unique + "records-table"])
    finally:
        member.close()


def test_first_offsets_of_a_topic_that_does_not_exist_are_an_error(config: Config, unique: str) -> None:
    with pytest.raises(KafkaException):
        first_offsets(config, unique + "group", [unique + "nowhere"])
