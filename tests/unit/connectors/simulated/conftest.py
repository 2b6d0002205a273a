"""One small stream and its stories, generated once."""

from __future__ import annotations

import pytest

from connectors.simulated import SourceEvent, generate
from connectors.simulated.life import Story
from connectors.simulated.stream import stories

CUSTOMERS = 3_000
SEED = 7


@pytest.fixture(scope="session")
def events() -> list[SourceEvent]:
    return list(generate(CUSTOMERS, SEED))


@pytest.fixture(scope="session")
def told() -> list[Story]:
    return list(stories(CUSTOMERS, SEED))
