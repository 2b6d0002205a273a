from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.logs.embedded import DamagedLogError, EmbeddedLog, LogInUseError, telling
from streams.engine.log import LogError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def test_a_log_that_another_has_is_in_use_and_not_damaged(path: Path) -> None:
    EmbeddedLog(path).close()
    with closing(EmbeddedLog(path)), pytest.raises(LogInUseError, match="another singleview"):
        EmbeddedLog(path)
    EmbeddedLog(path).close()


def test_a_log_that_is_damaged_is_told_with_what_to_do_and_leaves_no_file_open(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    before = len(os.listdir("/dev/fd"))
    errors = []  # kept, and with them all that they refer to
    for _ in range(3):
        with pytest.raises(DamagedLogError, match=rf"{path} .*demo --fresh --data {path.parent}") as told:
            EmbeddedLog(path)
        errors.append(told)
    assert len(os.listdir("/dev/fd")) == before


def test_a_database_of_something_else_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE photographs (name)")
    before = path.read_bytes()
    with pytest.raises(DamagedLogError, match="not singleview's"):
        EmbeddedLog(path)
    assert path.read_bytes() == before


def test_a_log_that_cannot_be_opened_is_neither_damaged_nor_in_use(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LogError, match="can be written") as told:
        EmbeddedLog(path)
    assert type(told.value) is LogError


def test_a_mistake_in_the_use_of_sqlite_is_not_told_as_a_fault_of_the_file(path: Path) -> None:
    with pytest.raises(sqlite3.ProgrammingError), telling(path), closing(sqlite3.connect(path)) as db:
        db.execute("SELECT ?", ())
