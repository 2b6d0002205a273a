"""The registry the tests run on behaves as a Confluent registry does by default."""

from __future__ import annotations

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from tests.conftest import cannot_run
from tests.parts import MissingPartError
from tests.parts.java_registry import JavaRegistry

pytestmark = pytest.mark.registry


def test_the_registry_s_compatibility_is_backward(registry: str) -> None:
    with SchemaRegistryClient({"url": registry}) as client:
        assert client.get_compatibility() == "BACKWARD"


def test_a_killed_registry_comes_back_with_its_schemas() -> None:
    try:
        part = JavaRegistry()
    except MissingPartError as error:
        cannot_run(str(error))
    with part:
        with SchemaRegistryClient({"url": part.address}) as client:
            number = client.register_schema("orders-value", Schema('"string"', "AVRO"))
        part.kill()
        part.start()
        with SchemaRegistryClient({"url": part.address}) as client:
            assert client.get_schema(number).schema_str == '"string"'
