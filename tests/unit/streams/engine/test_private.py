from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine.private import private_file, private_folder


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The most that anybody's shell may leave open."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_folder_and_those_it_needs_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_what_was_there_and_open_to_others_is_closed_but_not_what_is_around_it(tmp_path: Path) -> None:
    around, folder = tmp_path / "around", tmp_path / "around" / "folder"
    around.mkdir(mode=0o755)
    folder.mkdir(mode=0o755)
    (folder / "file").touch(mode=0o644)
    private_folder(folder)
    private_file(folder / "file")
    assert (mode(around), mode(folder), mode(folder / "file")) == (0o755, 0o700, 0o600)


def test_a_file_is_made_for_its_owner_alone_and_one_that_is_there_keeps_what_it_holds(tmp_path: Path) -> None:
    private_file(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o600
    (tmp_path / "old").write_text("kept")
    private_file(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "kept"
