"""The truth about the records of files, to compare a grouping with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from connectors.mappings.csv_rows import UnreadableFileError, csv_rows
from streams.app.console import UsageError
from streams.app.quality import Quality, compare_to_truth
from streams.engine.contract import RejectedError

NEEDED = ("source", "record_id", "cluster")


class Truth(NamedTuple):
    """The true cluster of records. It is held in memory: about 300 bytes a record."""

    clusters: Mapping[str, str]  # by `key`
    with_realm: bool  # whether it says of which realm its records are

    def key(self, realm: str, source: str, record_id: str) -> str:
        """How the truth names a record."""
        return f"{realm if self.with_realm else ''}/{source}/{record_id}"


class Verdict(NamedTuple):
    """How a grouping compares."""

    quality: Quality
    unlisted: int  # records of the grouping that the truth does not know


def read_truth(path: Path) -> Truth:
    """A CSV file with the columns source, record_id, cluster, and realm where records of two realms share an id.

    Raises UsageError with file and line.
    """
    try:
        with path.open("rb") as file:
            columns, rows = csv_rows(file, str(path))
            if absent := [name for name in NEEDED if name not in columns]:
                raise UsageError(f"{path}:1: a truth file needs the columns {', '.join(NEEDED)}: no {', '.join(absent)}")
            truth = Truth({}, "realm" in columns)
            return truth._replace(clusters=_clusters(path, rows, truth))
    except UnreadableFileError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _clusters(path: Path, rows: Iterable[tuple[int, dict[str, str | None] | RejectedError]], truth: Truth) -> dict[str, str]:
    clusters: dict[str, str] = {}
    for line, row in rows:
        if isinstance(row, RejectedError):
            raise UsageError(f"{path}:{line}: {row.detail}")
        source, record_id, cluster = (row[name] for name in NEEDED)
        if source is None or record_id is None or cluster is None:
            raise UsageError(f"{path}:{line}: source, record_id and cluster must not be empty")
        key = truth.key(row.get("realm") or "", source, record_id)
        if clusters.setdefault(key, cluster) != cluster:
            raise UsageError(f"{path}:{line}: the record is in another cluster on an earlier line")
    return clusters


class Comparison:
    """Gathers what the truth knows of a grouping, record by record."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._found: dict[str, str] = {}
        self._unlisted = 0

    def add(self, realm: str, source: str, record_id: str, customer: str) -> None:
        """Raises UsageError when the truth cannot tell two records apart."""
        key = self._truth.key(realm, source, record_id)
        if key not in self._truth.clusters:
            self._unlisted += 1
        elif key in self._found:
            raise UsageError("two realms have a record of one source and id: the truth file needs a column realm")
        else:
            self._found[key] = customer

    def verdict(self) -> Verdict:
        return Verdict(compare_to_truth(self._found, self._truth.clusters), self._unlisted)
