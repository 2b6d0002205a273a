"""A source's messages to canonical changes: decode, then map. What intake uses."""

from __future__ import annotations

from collections.abc import Mapping as Table

from connectors.mappings.absent import Seen
from connectors.mappings.decode import MAX_BYTES, Decoder
from connectors.mappings.mapping import Mapping
from connectors.mappings.reading import Reading
from schemas.messages import SourceChange
from schemas.registry import SchemaRegistry
from streams.engine.contract import Message


class SourceReader:
    """Reads the messages of one source."""

    def __init__(self, mapping: Mapping, registry: SchemaRegistry | None = None, max_bytes: int = MAX_BYTES) -> None:
        """Raises ValueError when the mapping's format needs a registry and there is none."""
        self.mapping = mapping
        self._decoder = Decoder(mapping.format, registry, max_bytes)
        self._seen = Seen(mapping.source, mapping.presence)

    def __call__(self, message: Message) -> list[SourceChange]:
        """The changes a message brings, as `Mapping.changes` has them: of this message alone, whatever came before.

        Raises RejectedError for a message that can never be mapped, RegistryError when the registry cannot be reached.
        """
        return self._changes(message, None)

    def read(self, message: Message) -> Reading:
        """The changes a message brings, and what became of it beside them. Remembers which paths the topic's events have.

        Raises as a call does; a row that is refused beside others that are not is in the reading.
        """
        reading = Reading(self._seen)
        reading.changes = self._changes(message, reading)
        return reading

    def look(self, message: Message) -> Reading:
        """As `read`, of this message alone: nothing is remembered."""
        reading = Reading()
        reading.changes = self._changes(message, reading)
        return reading

    def begin(self, message: Message) -> None:
        """A batch of a partition begins with this message: all before it is committed."""
        self._seen.begin(message)

    def recall(self, topic: str, partition: int, note: str) -> None:
        """A partition is read from here on, after messages of which `remember` gave the note."""
        self._seen.recall(topic, partition, note)

    def remember(self, topic: str, partition: int, offset: int) -> str:
        """What matters later of the messages before an offset."""
        return self._seen.remember(topic, partition, offset)

    @property
    def absent(self) -> Table[tuple[str, str], int]:
        """The paths that no event has lately: (topic, path), and how many events lacked it since."""
        return self._seen.reported

    def _changes(self, message: Message, reading: Reading | None) -> list[SourceChange]:
        decoder = self._decoder
        document = decoder.value(message)
        if reading is not None:
            reading.document = document
        return self.mapping.changes(
            message, document, lambda: decoder.key(message), lambda: decoder.schema_name(message), reading
        )
