"""What a mapping makes of sample events: the logic behind `singleview check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from connectors.mappings.csv_rows import UnreadableFileError
from connectors.mappings.files import FileReader
from connectors.mappings.mapping import Mapping, load_mapping
from connectors.mappings.reader import SourceReader
from schemas.documents import DocumentError, Problem
from schemas.registry import RegistryError, SchemaRegistry
from streams.engine.contract import Message, RejectedError


class Checked(NamedTuple):
    """What became of one sample event."""

    sample: str  # file, and line for a file of lines
    changes: tuple[dict[str, object], ...]  # SourceChanges as plain values; none for an event that says nothing
    reason: str = ""  # of its rejection; empty if it is fine
    detail: str = ""


class CheckReport(NamedTuple):
    """What is wrong with a mapping, else what it makes of the samples."""

    source: str  # empty when the mapping cannot be read
    problems: tuple[Problem, ...]
    events: tuple[Checked, ...]

    @property
    def fine(self) -> bool:
        return not self.problems and not any(event.reason for event in self.events)


def check(mapping: Path, samples: Sequence[Path] = (), registry: SchemaRegistry | None = None) -> CheckReport:
    """Read a mapping and apply it to samples. Problems of either are in the report, not raised.

    A sample is a JSON file of one event, a JSONL file of one event a line (a line `{"key": …, "value": …}` gives the
    message's key too, an empty line is a tombstone), or any other file: the bytes of one message's value. Samples of a
    CSV mapping are CSV files.
    """
    try:
        compiled = load_mapping(mapping)
    except DocumentError as error:
        return CheckReport("", error.problems, ())
    problems: list[Problem] = []
    try:
        read = _rows(compiled, problems) if compiled.format == "csv" else _events(SourceReader(compiled, registry))
    except ValueError as error:
        return CheckReport(compiled.source, (Problem(str(mapping), 1, "format", str(error)),), ())
    events: list[Checked] = []
    for sample in samples:
        try:
            events.extend(read(sample))
        except OSError as error:
            problems.append(Problem(str(sample), 1, "", f"cannot be read: {error.strerror}"))
        except UnreadableFileError as error:
            problems.append(Problem(str(sample), 1, "", error.what))
    return CheckReport(compiled.source, tuple(problems), tuple(events))


def _rows(compiled: Mapping, problems: list[Problem]) -> Callable[[Path], Iterator[Checked]]:
    def read(sample: Path) -> Iterator[Checked]:
        reader = FileReader(compiled, lambda name, what: problems.append(Problem(name, 1, "", what)))
        with sample.open("rb") as file:
            for row in reader.rows(file, str(sample)):
                name, rejected = f"{sample}:{row.line}", row.rejected
                if rejected is not None:
                    yield Checked(name, (), rejected.reason, rejected.detail)
                else:
                    yield Checked(name, (msgspec.to_builtins(row.change),) if row.change else ())

    return read


def _events(reader: SourceReader) -> Callable[[Path], Iterator[Checked]]:
    return lambda sample: (_event(reader, name, message) for name, message in _messages(sample))


def _event(reader: SourceReader, name: str, message: Message) -> Checked:
    try:
        changes = tuple(msgspec.to_builtins(change) for change in reader(message))
    except RejectedError as error:
        return Checked(name, (), error.reason, error.detail)
    except RegistryError as error:
        return Checked(name, (), "registry", str(error))
    return Checked(name, changes)


def _messages(sample: Path) -> Iterator[tuple[str, Message]]:
    if sample.suffix != ".jsonl":
        yield str(sample), _message(0, None, sample.read_bytes())
        return
    with sample.open("rb") as lines:
        for offset, line in enumerate(lines):
            key, value = _split(line.strip())
            yield f"{sample}:{offset + 1}", _message(offset, key, value)


def _split(line: bytes) -> tuple[bytes | None, bytes | None]:
    """The key and value of a line; one that is not JSON is a value as it stands, for the reader to reject."""
    if not line:
        return None, None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None, line
    if not isinstance(document, dict) or not document.keys() >= {"key", "value"}:
        return None, line
    return _bytes(document["key"]), _bytes(document["value"])


def _bytes(part: object) -> bytes | None:
    return part.encode() if isinstance(part, str) else None if part is None else json.dumps(part).encode()


def _message(offset: int, key: bytes | None, value: bytes | None) -> Message:
    return Message("sample", 0, offset, key, value, (), 0)
