"""A plant on the shared broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.plant import Plant


@pytest.fixture
def plant(kafka: str, unique: str, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(kafka, unique, tmp_path)
    yield plant
    plant.close()
