"""Files of records to canonical changes: CSV with a header, or JSON with one object a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from connectors.mappings.csv_rows import UnreadableFileError, bounded_lines, csv_rows
from connectors.mappings.mapping import Mapping
from connectors.mappings.paths import parse_path
from connectors.mappings.reader import SourceReader
from schemas.messages import SourceChange
from streams.engine.contract import Message, RejectedError

Warn = Callable[[str, str], None]
"""Told of a file's name, and of what is missing in it."""


class FileRow(NamedTuple):
    """What became of one row. One that made another record of its record (see Debezium) gives two, the deletion first."""

    line: int  # its first, from 1
    change: SourceChange | None  # None if it says nothing, or was rejected
    rejected: RejectedError | None = None


class FileReader:
    """Reads files with one mapping. Rows are numbered over all of them: without an `order`, a later row is the newer."""

    def __init__(self, mapping: Mapping, warn: Warn = lambda name, what: None) -> None:  # noqa: ARG005
        """`warn` is told of columns that the mapping reads and a file lacks. Raises ValueError for an Avro format."""
        if mapping.format in {"avro", "debezium-avro"}:
            raise ValueError(f"mapping {mapping.source}: files are csv, json or debezium, not {mapping.format}")
        self.mapping = mapping
        self._read = None if mapping.format == "csv" else SourceReader(mapping)
        self._warn = warn

    def rows(self, file: BinaryIO, name: str, place: int = 0) -> Iterator[FileRow]:
        """Every row of a file but empty lines, in bounded memory. `place` is the number of rows read before it.

        Raises UnreadableFileError, naming the file as `name`, for one of which nothing can be read.
        """
        return self._json(file, name, place) if self._read else self._csv(file, name, place)

    def _csv(self, file: BinaryIO, name: str, place: int) -> Iterator[FileRow]:
        mapping = self.mapping
        columns, rows = csv_rows(file, name, mapping.delimiter)
        self._compare(columns, name)
        for offset, (line, document) in enumerate(rows, place):
            if isinstance(document, RejectedError):
                yield FileRow(line, None, document)
                continue
            try:
                yield from _made(line, mapping.changes(_message(name, offset, None), document))
            except RejectedError as rejected:
                yield FileRow(line, None, rejected)

    def _json(self, file: BinaryIO, name: str, place: int) -> Iterator[FileRow]:
        assert self._read is not None
        for line, text in enumerate(bounded_lines(file), 1):
            if text.isspace():
                continue
            try:
                yield from _made(line, self._read(_message(name, place, text)))
            except RejectedError as rejected:
                yield FileRow(line, None, rejected)
            place += 1

    def _compare(self, columns: list[str], name: str) -> None:
        """The header itself is not quoted: in a file without one it is a person's data."""
        wanted = {".".join(parse_path(path).steps) for path in self.mapping.columns if not path.startswith("//")} - {""}
        absent = sorted(wanted.difference(columns))
        if wanted and len(absent) == len(wanted):
            raise UnreadableFileError(
                name,
                f"it has none of the columns that mapping {self.mapping.source} reads ({', '.join(absent)}):"
                f" the first line must name them, with {self.mapping.delimiter!r} between",
            )
        if absent:
            self._warn(name, f"it has no {', '.join(absent)}, which mapping {self.mapping.source} reads")


def _made(line: int, changes: list[SourceChange]) -> Iterator[FileRow]:
    return (FileRow(line, change) for change in changes or (None,))


def _message(name: str, offset: int, value: bytes | None) -> Message:
    return Message(name, 0, offset, None, value, (), 0)
