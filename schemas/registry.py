"""The schema registry as the rest of singleview sees it: a port with two adapters (Confluent-compatible REST, embedded)."""

from __future__ import annotations

from typing import Protocol


class SchemaRegistry(Protocol):
    """Numbers Avro schemas. Ids are stable for ever, so both calls may be cached without limit."""

    def register(self, subject: str, schema: str) -> int:
        """The id of `schema` (JSON text) under `subject`; the same text gives the same id.

        Raises RegistryError when the schema is incompatible with the subject's versions, or the registry cannot be reached.
        """
        ...

    def schema(self, schema_id: int) -> str:
        """The schema with this id. Raises UnknownSchemaError if there is none, RegistryError if it cannot be reached."""
        ...


class RegistryError(Exception):
    """The registry refused or could not be reached: the message says which, and what to do."""


class UnknownSchemaError(RegistryError):
    """No schema has this id: the message that names it is bad."""
