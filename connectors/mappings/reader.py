"""A source's messages to canonical changes: decode, then map. What intake uses."""

from __future__ import annotations

from connectors.mappings.decode import MAX_BYTES, Decoder
from connectors.mappings.mapping import Mapping
from schemas.messages import SourceChange
from schemas.registry import SchemaRegistry
from streams.engine.contract import Message


class SourceReader:
    """Reads the messages of one source."""

    def __init__(self, mapping: Mapping, registry: SchemaRegistry | None = None, max_bytes: int = MAX_BYTES) -> None:
        """Raises ValueError when the mapping's format needs a registry and there is none."""
        self.mapping = mapping
        self._decoder = Decoder(mapping.format, registry, max_bytes)

    def __call__(self, message: Message) -> list[SourceChange]:
        """The changes a message brings, as `Mapping.changes` has them.

        Raises RejectedError for a message that can never be mapped, RegistryError when the registry cannot be reached.
        """
        return self.mapping.changes(message, self._decoder.value(message), lambda: self._decoder.key(message))
