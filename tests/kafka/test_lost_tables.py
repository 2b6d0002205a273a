"""A table topic that lost something is an error with the way to go on, never a fresh start; stores are kept."""

from __future__ import annotations

import shutil

import pytest
from confluent_kafka import Producer, TopicPartition

from connectors.logs.topics import topic_config
from schemas.topics import DEPLOYMENT
from streams.app.config import Configuration, topic_specs
from tests.kafka.deployed import Deployed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def filled(deployed: Deployed, count: int = 20) -> None:
    deployed.init()
    with deployed.running() as running:
        deployed.send(*range(count))
        running.until(lambda: deployed.seen("customer-view") == count, "the views")


def cut(deployed: Deployed, topic: str, partition: int) -> None:
    """The first half of a table partition is deleted, as an operator may by mistake."""

    deployed.alter(topic, "cleanup.policy", "delete")
    deployed.admin.delete_records([TopicPartition(topic, partition, 3)])[TopicPartition(topic, partition)].result()
    deployed.alter(topic, "cleanup.policy", "compact")


def again(deployed: Deployed, topic: str) -> None:
    """Deleted, and made anew as `init` would."""
    deployed.delete(deployed.of(topic))
    specs = {spec.name: spec for spec in topic_specs(Configuration.load(deployed.folder / "singleview.yaml"))}
    deployed.create(deployed.of(topic), specs[topic].partitions, **topic_config(specs[topic]))


def test_a_table_whose_beginning_was_deleted_is_refused_without_a_whole_store_and_used_with_one(
    deployed: Deployed,
) -> None:
    filled(deployed)
    table = deployed.of("records-table")
    cut(deployed, table, 0)
    (check,) = [check for check in deployed.troubles("deployment") if check.what == table]
    assert f"the beginning of {table}/0 was deleted" in check.found
    assert "keep the data folders" in check.fix
    with deployed.running() as running:
        running.says("This store is whole and may be the only copy: keep it")
        deployed.send(99)
        running.until(lambda: deployed.seen("customer-view") == 21, "a store that is whole goes on")
    shutil.rmtree(deployed.folder / "data")
    with deployed.running() as running:
        running.process.wait(60)
        assert f"{table}/0 begins at offset 3, not 0: records before it were deleted" in running.log
        assert "keep the data folders" in running.log


def test_a_table_that_is_gone_is_made_by_nobody_and_its_stores_stay(deployed: Deployed) -> None:
    filled(deployed)
    table = deployed.of("customers-table")
    stores = sorted(deployed.folder.glob("data/*/customers/*"))
    deployed.delete(table)
    for said in (" ".join(deployed("init").err.split()), deployed.refused()):
        assert f"{table} is gone" in said
        assert f"`singleview init --accept {table}`" in said
    assert table not in deployed.topics()
    assert "run `singleview init`" not in {check.fix for check in deployed.troubles("topics")}
    assert any(f"{table} is gone" in check.found for check in deployed.troubles("deployment"))
    assert sorted(deployed.folder.glob("data/*/customers/*")) == stores


def test_a_table_that_is_gone_is_seen_without_facts_by_what_its_inbox_led_to(deployed: Deployed) -> None:
    filled(deployed)
    deployed.delete(deployed.of(DEPLOYMENT))
    deployed.delete(deployed.of("customers-table"))
    assert f"{deployed.of('customers-table')} is gone" in " ".join(deployed("init").err.split())


def test_a_table_made_anew_is_refused_until_its_content_is_back(deployed: Deployed) -> None:
    filled(deployed)
    table = deployed.of("records-table")
    rows = deployed.raw(table)
    again(deployed, "records-table")
    assert f"{table} was deleted and created again" in deployed.refused()
    assert deployed("init").code != 0
    assert list(deployed.folder.rglob("*.aside")) == []
    producer = Producer({"bootstrap.servers": deployed.kafka})
    for partition, key, value in rows:
        producer.produce(table, value, key, partition=partition)
    assert producer.flush(30) == 0
    assert deployed("init", "--accept", table).code == 0
    with deployed.running() as running:
        deployed.send(*range(20), seq=2, given="Second")
        running.until(lambda: len(deployed.read(deployed.of("customer-changes"))) == 40, "each customer's second change")
    assert deployed.seen("customer-view") == 20


def test_an_empty_table_under_consumed_messages_is_refused_also_if_its_id_is_not_known(deployed: Deployed) -> None:
    filled(deployed)
    again(deployed, "records-table")
    deployed.delete(deployed.of(DEPLOYMENT))
    shutil.rmtree(deployed.folder / "data")
    said = deployed.refused()
    assert "is empty, though messages of the inbox were consumed" in said


def test_a_partition_whose_messages_made_no_row_is_marked_and_goes_on(deployed: Deployed) -> None:
    deployed.init()
    producer = Producer({"bootstrap.servers": deployed.kafka})
    for partition in range(2):
        producer.produce(deployed.of("records"), b"\1no message of ours", b"k", partition=partition)
    assert producer.flush(30) == 0
    with deployed.running() as running:
        running.until(lambda: len(deployed.read(deployed.of("dead-letters"))) == 2, "what cannot be read")
    assert {partition for partition, _, _ in deployed.raw(deployed.of("records-table"))} == {0, 1}
    shutil.rmtree(deployed.folder / "data")
    assert deployed.troubles("deployment") == []
    with deployed.running() as running:
        deployed.send(1, 2)
        running.until(lambda: deployed.seen("customer-view") == 2, "the views")
