"""What a mapping makes of sample events: the logic behind `singleview check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from connectors.mappings.csv_rows import UnreadableFileError
from connectors.mappings.encoded import warnings
from connectors.mappings.files import FileReader
from connectors.mappings.mapping import Mapping
from connectors.mappings.model import MappingDocument
from connectors.mappings.paths import Trace, traced
from connectors.mappings.reader import SourceReader
from connectors.mappings.samples import messages, reads_key_or_value
from connectors.mappings.unfound import Unfound, unfound_paths
from schemas.documents import DocumentError, Problem, load_document
from schemas.registry import RegistryError, SchemaRegistry
from streams.engine.contract import Message, RejectedError


class Checked(NamedTuple):
    """What became of one sample event."""

    sample: str  # file, and line for a file of lines
    changes: tuple[dict[str, object], ...]  # SourceChanges as plain values; none for an event that says nothing
    reason: str = ""  # of its rejection; empty if it is fine
    detail: str = ""
    notes: tuple[str, ...] = ()  # what stays as it was because it cannot be read, and what is probably not what it seems


class CheckReport(NamedTuple):
    """What is wrong with a mapping, else what it makes of the samples."""

    source: str  # empty when the mapping cannot be read
    problems: tuple[Problem, ...]
    events: tuple[Checked, ...]
    unfound: tuple[Unfound, ...] = ()  # paths that were looked for in the samples, and are in none

    @property
    def fine(self) -> bool:
        return not self.problems and not any(event.reason for event in self.events)


def check(mapping: Path, samples: Sequence[Path] = (), registry: SchemaRegistry | None = None) -> CheckReport:
    """Read a mapping and apply it to samples. Problems of either are in the report, not raised.

    A sample is a JSON file of one event, a JSONL file of one event a line (see `samples.py`), or any other file: the bytes
    of one message's value. Samples of a CSV mapping are CSV files.
    """
    trace = Trace()
    try:
        document = load_document(mapping, MappingDocument)
    except DocumentError as error:
        return CheckReport("", error.problems, ())
    with traced(trace):
        compiled = Mapping(document)
    problems: list[Problem] = []
    try:
        read = _rows(compiled, problems) if compiled.format == "csv" else _events(SourceReader(compiled, registry), document)
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
    if compiled.format == "csv":  # the columns of each file are compared as it is read
        return CheckReport(compiled.source, tuple(problems), tuple(events))
    unfound = unfound_paths(document, trace.found)
    if _finds_nothing(compiled, trace.found):
        what = "none of the paths below is in any sample: it is another topic's mapping, or its paths are misspelt"
        problems.append(Problem(str(mapping), 1, "attributes", what))
    return CheckReport(compiled.source, tuple(problems), tuple(events), unfound)


def _finds_nothing(compiled: Mapping, found: dict[str, bool]) -> bool:
    """Whether the paths of attributes were looked for, and none is there."""
    looked = [found[path] for path in compiled.presence.paths if path in found]
    return bool(looked) and not any(looked)


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


def _events(reader: SourceReader, document: MappingDocument) -> Callable[[Path], Iterator[Checked]]:
    whole = reads_key_or_value(document)
    return lambda sample: (_event(reader, name, message) for name, message in messages(sample, lines_are_events=whole))


def _event(reader: SourceReader, name: str, message: Message) -> Checked:
    try:
        reading = reader.look(message)
    except RejectedError as error:
        return Checked(name, (), error.reason, error.detail)
    except RegistryError as error:
        return Checked(name, (), "registry", str(error))
    changes = tuple(msgspec.to_builtins(change) for change in reading.changes)
    notes = [f"{unread.detail}: it stays as it was" for unread in reading.unread]
    if reader.mapping.format == "debezium":
        notes += warnings(reading.document, reader.mapping.columns)
    if reading.refused:
        return Checked(name, changes, reading.refused[0].reason, "; ".join(each.detail for each in reading.refused))
    return Checked(name, changes, notes=tuple(notes))
