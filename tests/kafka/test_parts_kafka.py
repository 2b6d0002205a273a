"""The broker the tests run on is the one the documentation asks for, and survives what chaos does to it."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from tests.parts import Part
from tests.parts.broker_settings import REQUIRED_SETTINGS

pytestmark = pytest.mark.kafka


def test_the_broker_has_the_required_settings(kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    broker = ConfigResource(ResourceType.BROKER, str(next(iter(admin.list_topics(timeout=30).brokers))))
    settings = {entry.name: entry.value for entry in admin.describe_configs([broker])[broker].result().values()}
    assert {name: settings[name] for name in REQUIRED_SETTINGS} == REQUIRED_SETTINGS


def test_a_killed_broker_comes_back_at_its_address_with_its_data(own_kafka: Part, unique: str) -> None:
    address = own_kafka.address
    store(address, unique)
    own_kafka.kill()
    own_kafka.start()
    assert own_kafka.address == address
    assert load(address, unique) == b"kept"


def store(address: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    producer.produce(topic, b"kept")
    assert producer.flush(30) == 0


def load(address: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": address, "group.id": topic, "auto.offset.reset": "error"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(60)
        while message is not None and message.error():  # the client may still meet the killed broker's connection
            message = consumer.poll(60)
        return None if message is None else message.value()
    finally:
        consumer.close()
