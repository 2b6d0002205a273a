"""What commands write is customers' data: nobody but its owner may read it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.mappings import shipped_mapping


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def singleview(folder: Path, *arguments: object) -> None:
    """In a process of its own, as a umask is a process's."""
    command = [sys.executable, "-m", "streams.app.cli", *map(str, arguments), "--json"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)


def open_to_others(folder: Path) -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(folder)), oct(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.stat().st_mode & 0o077
    ]


def test_data_folders_are_0700_and_files_0600_whatever_the_umask(open_umask: None, tmp_path: Path) -> None:
    singleview(tmp_path, "demo", "--customers", 20, "--data", "data")
    singleview(tmp_path, "generate", "--customers", 20, "--output", "events")
    events = "events/crm.public.customer.jsonl"
    singleview(tmp_path, "resolve", "-m", shipped_mapping("crm"), events, "-o", "out.csv", "--rejects", "rejects.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "events", "out.csv", "rejects.csv"}
    assert list(tmp_path.glob("data/stores/*/*/*.sst"))
    assert open_to_others(tmp_path) == []
