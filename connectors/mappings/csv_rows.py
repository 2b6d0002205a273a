"""The rows of a CSV file as documents: text by column, bad rows one by one, memory bounded."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from connectors.mappings.decode import MAX_BYTES
from streams.engine.contract import RejectedError

MAX_LINES = 100
"""Lines of one row. A quote that is never closed would otherwise take the rest of the file with it."""

_BOM = b"\xef\xbb\xbf"


class UnreadableFileError(Exception):
    """Nothing can be read from a file: the message says which and what to do, and quotes nothing of it."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}:1: {what}")
        self.what = what


def bounded_lines(file: BinaryIO, limit: int = MAX_BYTES) -> Iterator[bytes]:
    """The lines of a file, without a byte order mark. Of a line that is longer than `limit`, `limit` + 1 bytes."""
    first = True
    while line := file.readline(limit + 1):
        whole = line
        while len(whole) > limit and not whole.endswith(b"\n"):
            whole = file.readline(limit + 1)
            if not whole:
                break
        yield line.removeprefix(_BOM) if first else line
        first = False


def csv_rows(
    file: BinaryIO, name: str, delimiter: str = ",", limit: int = MAX_BYTES
) -> tuple[list[str], Iterator[tuple[int, dict[str, str | None] | RejectedError]]]:
    """The columns, and every row after the header with the number of its first line (from 1).

    Values are trimmed, also before quotes; an empty cell is None; empty lines are passed over. A row that is not UTF-8, not
    CSV, or of another length than the header is a rejection; when it went on over several lines, reading goes on at its
    second one. Raises UnreadableFileError when the header is missing or not usable; `name` stands in the message.
    """
    lines = _Lines(bounded_lines(file, limit), limit)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    columns = _header(lines, reader, name)
    return columns, _rows(lines, reader, columns)


def _header(lines: _Lines, reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        columns = [column.strip() for column in next(reader, [])]
    except (csv.Error, RejectedError) as error:
        raise UnreadableFileError(name, "the header is not CSV in UTF-8: save the file as UTF-8") from error
    named = [column for column in columns if column]
    if not named:
        raise UnreadableFileError(name, "there is no header: the first line must name the columns")
    if len(set(named)) != len(named):
        raise UnreadableFileError(name, "two columns have one name: give each its own")
    lines.begin()
    return columns


def _rows(
    lines: _Lines, reader: Iterator[list[str]], columns: list[str]
) -> Iterator[tuple[int, dict[str, str | None] | RejectedError]]:
    while True:
        lines.begin()
        number = lines.number + 1
        try:
            row = next(reader, None)
        except csv.Error:
            lines.again()
            yield number, RejectedError("malformed-csv", "quotes that do not fit, or a cell that is too long")
            continue
        except RejectedError as rejected:
            lines.again()
            yield number, rejected
            continue
        if row is None:
            return
        if len(row) == len(columns):
            yield number, {column: cell.strip() or None for column, cell in zip(columns, row, strict=True) if column}
        elif row and row != [""]:
            lines.again()
            yield number, RejectedError("malformed-csv", f"{len(row)} cells, and the header has {len(columns)}")


class _Lines:
    """Lines as text for a csv reader, which remembers those of the current row, to read all but the first once more."""

    def __init__(self, lines: Iterable[bytes], limit: int) -> None:
        self.number = 0  # of the last line read
        self._lines = iter(lines)
        self._limit = limit
        self._row: list[bytes] = []
        self._pending: deque[bytes] = deque()

    def begin(self) -> None:
        """A row begins."""
        self._row.clear()

    def again(self) -> None:
        """Read the row's lines once more, from the second on."""
        rest = self._row[1:]
        self._pending = deque(chain(rest, self._pending))
        self.number -= len(rest)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._row) == MAX_LINES:
            raise RejectedError("malformed-csv", f"a quote is not closed within {MAX_LINES} lines")
        line = self._pending.popleft() if self._pending else next(self._lines)
        self._row.append(line)
        self.number += 1
        if len(line) > self._limit:
            raise RejectedError("too-large", f"a line is longer than {self._limit:,} bytes")
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise RejectedError("malformed-csv", "not UTF-8") from None
