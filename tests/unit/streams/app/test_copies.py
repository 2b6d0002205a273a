"""Copies of a deployment's tables are customers' data: they are gone when the look is over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.app.copies import own_folder
from streams.app.forked import Forked

PATIENCE = 10.0


def test_the_folder_of_a_look_is_its_owner_s_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with own_folder(tmp_path / "copies") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "records").mkdir()
        (folder / "records" / "row").write_text("personal")
    assert not (tmp_path / "copies").exists()


def test_it_is_gone_too_when_the_look_failed(tmp_path: Path) -> None:
    with pytest.raises(LookupError), own_folder(tmp_path / "copies"):
        raise LookupError
    assert not (tmp_path / "copies").exists()


def test_what_an_earlier_release_or_a_killed_look_left_is_removed(tmp_path: Path) -> None:
    def killed() -> int:
        with own_folder(tmp_path / "copies") as folder:
            (folder / "row").write_text("personal")
            os._exit(9)

    assert Forked(killed, "a look").wait(PATIENCE) == 9
    (tmp_path / "copies" / "records" / "0").mkdir(parents=True)
    assert len(list((tmp_path / "copies").iterdir())) == 2
    with own_folder(tmp_path / "copies") as folder:
        assert list((tmp_path / "copies").iterdir()) == [folder]


def test_two_looks_at_a_time_leave_each_other_alone(tmp_path: Path) -> None:
    with own_folder(tmp_path / "copies") as first:
        (first / "row").write_text("personal")
        with own_folder(tmp_path / "copies") as second:
            assert second != first
        assert (first / "row").read_text() == "personal"
    assert not (tmp_path / "copies").exists()
