"""A plant, or a whole deployment, on the shared broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.e2e.processes import SECRET
from tests.kafka.deployed import Deployed
from tests.kafka.plant import Plant


@pytest.fixture
def plant(kafka: str, unique: str, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(kafka, unique, tmp_path)
    yield plant
    plant.close()


@pytest.fixture
def deployed(
    singleview: CommandLine, tmp_path: Path, kafka: str, registry: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Deployed:
    monkeypatch.setenv("SINGLEVIEW_SECRET", SECRET)
    return Deployed(singleview, tmp_path, kafka, registry, unique)
