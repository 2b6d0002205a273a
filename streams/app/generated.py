"""Files that `generate` wrote, as `resolve` reads them: each line is an event of a topic, with its key and value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from connectors.mappings import Mapping, SourceReader
from connectors.mappings.csv_rows import UnreadableFileError
from connectors.mappings.files import FileRow
from connectors.simulated.files import FolderError, read_events
from connectors.simulated.publish import SourceEncoder
from schemas.registry import UnknownSchemaError
from streams.engine.contract import Message, RejectedError


class GeneratedReader:
    """Reads such files with one mapping, of any format: what Avro needs of a registry is in the files themselves."""

    def __init__(self, mapping: Mapping) -> None:
        registry = _Schemas()
        self._read = SourceReader(mapping, registry)
        self._encode = SourceEncoder(registry)

    def rows(self, file: BinaryIO, name: str, place: int = 0) -> Iterator[FileRow]:
        """As `FileReader.rows`. Raises UnreadableFileError for a file that is not whole."""
        path = Path(name)
        try:
            for line, event in enumerate(read_events(file, path), 1):
                message = Message(path.stem, 0, place, event.key, self._encode(event), (), event.timestamp)
                place += 1
                try:
                    yield from (FileRow(line, change) for change in self._read(message) or (None,))
                except RejectedError as rejected:
                    yield FileRow(line, None, rejected)
        except FolderError as error:
            raise UnreadableFileError(name, str(error)) from error


class _Schemas:
    """The schemas of one reader's files, in memory."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def register(self, subject: str, schema: str) -> int:  # noqa: ARG002 - numbers are of texts
        if schema not in self._texts:
            self._texts.append(schema)
        return self._texts.index(schema) + 1

    def schema(self, schema_id: int) -> str:
        if not 1 <= schema_id <= len(self._texts):
            raise UnknownSchemaError(f"there is no schema {schema_id} in this file")
        return self._texts[schema_id - 1]
