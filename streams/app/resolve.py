"""Offline identity over files: which of their records are the same customer.

    files ─► FileReader ─► batches of SourceChange ─► OfflineIdentity (records ⇄ identity) ─► a customer id for each record

Memory is bounded: files are streamed, what is known of the records is kept in stores in a temporary folder.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO, NamedTuple, Protocol, TextIO

from connectors.mappings import Mapping
from connectors.mappings.csv_rows import UnreadableFileError
from connectors.mappings.files import FileReader, FileRow, Warn
from connectors.simulated.files import is_generated
from schemas.messages import SourceChange
from streams.app.console import UsageError, WorkError
from streams.app.generated import GeneratedReader
from streams.app.offline import BATCH, Counts, OfflineIdentity
from streams.app.pairing import pair
from streams.app.spreadsheet import text_cells
from streams.app.truth import Comparison, Truth, Verdict
from streams.engine.contract import RejectedError

STANDARD_OUTPUT = Path("-")
OUTPUT_COLUMNS = ("realm", "source", "record_id", "customer_id")
REJECTS_COLUMNS = ("file", "line", "reason", "detail")
SHOWN_REJECTS = 10

Progress = Callable[[str, int, int], None]
"""Told of a stage's name, how much is done and how much there is, about."""


class Reader(Protocol):
    """Reads files of records."""

    def rows(self, file: BinaryIO, name: str, place: int = 0) -> Iterator[FileRow]:
        """Every row of a file. Raises UnreadableFileError."""
        ...


class Reject(NamedTuple):
    """A row that could not be mapped. The detail names mapping, attribute and path, never a value."""

    file: str
    line: int
    reason: str
    detail: str


class Resolved(NamedTuple):
    """What became of the files."""

    rows: int
    counts: Counts
    rejected: dict[str, int]  # by reason
    rejects: tuple[Reject, ...]  # the first ones
    seconds: float
    verdict: Verdict | None  # with a truth

    @property
    def records_per_second(self) -> float:
        return self.counts.records / self.seconds if self.seconds else 0.0


class _Rows:
    """The changes in the files, while it counts rows and notes those that cannot be mapped."""

    def __init__(self, files: Sequence[tuple[Path, Reader]], reject: Callable[[Reject], None], progress: Progress) -> None:
        self.read = 0
        self.rejected: Counter[str] = Counter()
        self._files = files
        self._reject = reject
        self._progress = progress
        self._bytes = sum(path.stat().st_size for path, _ in files)
        self._before = 0  # bytes of the files that are done

    def batches(self) -> Iterator[list[SourceChange]]:
        batch: list[SourceChange] = []
        for path, reader in self._files:
            with path.open("rb") as file:
                for row in reader.rows(file, str(path), self.read):
                    self.read += 1
                    if row.rejected is not None:
                        self._note(path, row.line, row.rejected)
                    elif row.change is not None:
                        batch.append(row.change)
                    if len(batch) == BATCH:
                        yield batch
                        batch = []
                        self._show(file)
                self._before += path.stat().st_size
        yield batch
        self._progress("resolve", self.read, self.read)

    def _note(self, path: Path, line: int, rejected: RejectedError) -> None:
        self.rejected[rejected.reason] += 1
        self._reject(Reject(str(path), line, rejected.reason, rejected.detail))

    def _show(self, file: BinaryIO) -> None:
        """How many rows there are in all is guessed from how many bytes the ones so far took."""
        done = self._before + (file.tell() if file.seekable() else 0)
        self._progress("resolve", self.read, self.read * self._bytes // done if done else self.read)


def resolve_files(
    files: Sequence[Path],
    mappings: Sequence[Mapping],
    output: Path,
    *,
    truth: Truth | None = None,
    rejects: Path | None = None,
    escape: bool = True,
    also_read: Sequence[Path] = (),
    progress: Progress = lambda stage, done, total: None,  # noqa: ARG005
    warn: Warn = lambda name, what: None,  # noqa: ARG005
) -> Resolved:
    """Writes the customer of every record to `output` (standard output if that is `-`), and the rows that could not be
    mapped to `rejects`.

    `output` is whole or not there; `rejects` is there whatever happens. With `escape`, no cell of either is one that a
    spreadsheet would run. Neither may be one of `files` or of `also_read`,
    the files of the mappings and the truth. Raises UsageError for files and mappings that do not fit, before anything is
    done where possible; WorkError when no record comes of the files, or a file cannot be read or written.
    """
    readers = _readers(files, mappings, warn)
    to_file = output != STANDARD_OUTPUT
    _protect([*files, *also_read], [*([output] if to_file else []), *([rejects] if rejects else [])])
    if to_file:
        _refuse_special(output)
    cells = text_cells if escape else list[str]
    try:
        with ExitStack() as stack:
            first: list[Reject] = []
            rejected = _Csv(stack.enter_context(_plain(rejects)), REJECTS_COLUMNS, cells) if rejects else None
            rows = _Rows(readers, _reject_writer(rejected, first), progress)
            found = stack.enter_context(_whole(output) if to_file else _standard_output())
            return _resolve(rows, first, _Csv(found, OUTPUT_COLUMNS, cells), truth)
    except UnreadableFileError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise WorkError(f"{error.filename or output}: {error.strerror}") from error


class _Csv:
    """A CSV file to write, beginning with its header."""

    def __init__(self, file: TextIO, columns: Sequence[str], cells: Callable[[Iterable[str]], list[str]]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._cells = cells
        self._writer.writerow(columns)

    def write(self, row: Iterable[object]) -> None:
        self._writer.writerow(self._cells(map(str, row)))


def _resolve(rows: _Rows, first: Sequence[Reject], output: _Csv, truth: Truth | None) -> Resolved:
    began = time.perf_counter()
    comparison = Comparison(truth) if truth else None
    with TemporaryDirectory(prefix="singleview-resolve-") as folder, OfflineIdentity(Path(folder)) as identity:
        for batch in rows.batches():
            identity.feed(batch)
        _refuse_nothing(rows, first)
        for row in _memberships(identity):
            output.write(row)
            if comparison:
                comparison.add(*row)
        counts, rejected = identity.counts(), rows.rejected + identity.failures
    if not counts.records:
        raise WorkError(f"no record comes of the {rows.read:,} rows: they say nothing of customers, or only delete them")
    seconds = time.perf_counter() - began
    verdict = comparison.verdict() if comparison else None
    return Resolved(rows.read, counts, dict(sorted(rejected.items())), tuple(first), seconds, verdict)


def _readers(files: Sequence[Path], mappings: Sequence[Mapping], warn: Warn) -> list[tuple[Path, Reader]]:
    for file in files:
        if not file.exists() or file.is_dir():
            raise UsageError(f"{file} is {'a folder' if file.exists() else 'not there'}: name files of records")
    try:
        return [
            (file, GeneratedReader(mapping) if is_generated(file) else FileReader(mapping, warn))
            for file, mapping in zip(files, pair(files, mappings), strict=True)
        ]
    except ValueError as error:
        raise UsageError(str(error)) from error


def _protect(files: Iterable[Path], outputs: Sequence[Path]) -> None:
    for output in outputs:
        if not output.absolute().parent.is_dir() or output.is_dir():
            raise UsageError(f"{output} cannot be written: name a file in a folder that exists")
        if output.exists() and any(output.samefile(file) for file in files):
            raise UsageError(f"{output} is one of the files to read: choose another output")
    if len({os.path.realpath(output) for output in outputs}) != len(outputs):
        raise UsageError(f"{outputs[0]} is named twice: customers and rejects need a file each")


def _refuse_special(output: Path) -> None:
    """A whole file takes the output's place: a device, a pipe or a link there would be gone, /dev/stdout for everybody."""
    if output.exists() and not output.is_file():
        raise UsageError(f"{output} is a device or a pipe, which the output would replace: name a file, and read that")
    if output.is_symlink():
        raise UsageError(f"{output} is a link, which the output would replace: name the file, {os.path.realpath(output)}")


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    """A file to write, put in its place only when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _plain(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output, written to only when all is there, so that a start that fails writes nothing."""
    with TemporaryFile("w+", encoding="utf-8", newline="") as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)
        sys.stdout.flush()


def _reject_writer(file: _Csv | None, first: list[Reject]) -> Callable[[Reject], None]:
    def write(reject: Reject) -> None:
        if len(first) < SHOWN_REJECTS:
            first.append(reject)
        if file:
            file.write(reject)

    return write


def _refuse_nothing(rows: _Rows, first: Sequence[Reject]) -> None:
    if not rows.read:
        raise WorkError("there are no records in the files")
    if rows.rejected.total() == rows.read:
        reject = first[0]
        raise WorkError(
            f"not one of {rows.read:,} rows could be mapped. {reject.file}:{reject.line}: {reject.reason}: {reject.detail}"
        )


def _memberships(identity: OfflineIdentity) -> Iterator[tuple[str, str, str, str]]:
    for record, customer in identity.memberships():
        realm, source, record_id = record.split("/", 2)
        yield realm, source, record_id, customer
