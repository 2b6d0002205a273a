"""The registry adapter on a real registry."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient

from connectors.registry import ConfluentRegistry
from schemas.registry import RegistryError, UnknownSchemaError

pytestmark = pytest.mark.registry


def order(*extra: dict[str, object]) -> str:
    return json.dumps({"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}, *extra]})


WITH_DEFAULT: dict[str, object] = {"name": "note", "type": "string", "default": ""}
WITHOUT_DEFAULT: dict[str, object] = {"name": "currency", "type": "string"}


@pytest.fixture
def adapter(registry: str) -> Iterator[ConfluentRegistry]:
    with ConfluentRegistry({"url": registry}) as opened:
        yield opened


@pytest.fixture
def other_process(registry: str) -> Iterator[ConfluentRegistry]:
    """An adapter that has seen nothing yet."""
    with ConfluentRegistry({"url": registry}) as opened:
        yield opened


def test_the_same_schema_gets_the_same_id_from_any_client(
    adapter: ConfluentRegistry, other_process: ConfluentRegistry, unique: str
) -> None:
    first = adapter.register(unique + "orders-value", order())
    assert adapter.register(unique + "orders-value", order()) == first
    assert other_process.register(unique + "orders-value", order()) == first


def test_a_registered_schema_is_read_back_by_its_id(
    adapter: ConfluentRegistry, other_process: ConfluentRegistry, unique: str
) -> None:
    schema_id = adapter.register(unique + "orders-value", order())
    assert json.loads(other_process.schema(schema_id)) == json.loads(order())


def test_a_schema_comes_with_the_types_of_the_subjects_it_refers_to(
    adapter: ConfluentRegistry, registry: str, unique: str
) -> None:
    address = {"type": "record", "name": "acme.Address", "fields": [{"name": "city", "type": "string"}]}
    customer = {"type": "record", "name": "acme.Customer", "fields": [{"name": "home", "type": "acme.Address"}]}
    adapter.register(unique + "address-value", json.dumps(address))
    reference = SchemaReference("acme.Address", unique + "address-value", 1)
    with SchemaRegistryClient({"url": registry}) as client:
        schema_id = client.register_schema(unique + "customer-value", Schema(json.dumps(customer), "AVRO", [reference]))
    (home,) = json.loads(adapter.schema(schema_id))["fields"]
    assert (home["type"]["name"], home["type"]["fields"]) == ("acme.Address", address["fields"])


def test_a_compatible_schema_gets_another_id(adapter: ConfluentRegistry, unique: str) -> None:
    first = adapter.register(unique + "orders-value", order())
    assert adapter.register(unique + "orders-value", order(WITH_DEFAULT)) != first


def test_an_incompatible_schema_is_refused_with_the_subject_and_what_to_do(adapter: ConfluentRegistry, unique: str) -> None:
    adapter.register(unique + "orders-value", order())
    with pytest.raises(RegistryError, match=f"{unique}orders-value as incompatible .*: give new fields a default"):
        adapter.register(unique + "orders-value", order(WITHOUT_DEFAULT))


def test_what_is_no_schema_is_refused(adapter: ConfluentRegistry, unique: str) -> None:
    with pytest.raises(RegistryError, match="HTTP status 422"):
        adapter.register(unique + "orders-value", '{"type": "nonsense"')


def test_an_id_the_registry_does_not_know_is_the_message_s_fault(adapter: ConfluentRegistry) -> None:
    with pytest.raises(UnknownSchemaError, match="has no schema 1999999999"):
        adapter.schema(1_999_999_999)


def test_a_schema_that_is_not_avro_is_the_message_s_fault(adapter: ConfluentRegistry, registry: str, unique: str) -> None:
    json_schema = Schema('{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}', "JSON")
    with SchemaRegistryClient({"url": registry}) as client:
        schema_id = client.register_schema(unique + "orders-value", json_schema)
    with pytest.raises(UnknownSchemaError, match="JSON, not Avro"):
        adapter.schema(schema_id)


def test_a_wrong_path_is_the_configuration_s_fault_not_the_message_s(registry: str) -> None:
    with (
        ConfluentRegistry({"url": registry + "/astray"}) as astray,
        pytest.raises(RegistryError, match="check the path of its url") as caught,
    ):
        astray.schema(1)
    assert not isinstance(caught.value, UnknownSchemaError)
