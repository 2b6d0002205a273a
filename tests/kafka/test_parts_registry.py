"""The registry the tests run on behaves as a Confluent registry does by default."""

from __future__ import annotations

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

pytestmark = pytest.mark.registry


def test_the_registry_s_compatibility_is_backward(registry: str) -> None:
    with SchemaRegistryClient({"url": registry}) as client:
        assert client.get_compatibility() == "BACKWARD"
