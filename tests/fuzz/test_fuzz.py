"""The short form of `make fuzz`: another seed than its default, so that the two see different events."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedLog
from streams.app.config import SECRET_VARIABLE
from tests.fuzz.events import HostileEvents
from tests.fuzz.pipeline import fuzz_pipeline
from tests.fuzz.reader import fuzz_reader

CASES = 1_500
SEED = 2


def test_a_hostile_event_is_read_or_refused_by_a_word_and_never_anything_else(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "registry.db")

    readings = fuzz_reader(CASES, SEED, log.registry())
    log.close()

    assert readings.faults == []
    assert readings.read > CASES // 20, "some hostile events are events all the same"
    assert len(readings.refused) >= 5, "they are refused for many reasons"


def test_hostile_events_leave_no_record_without_a_view_and_are_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "of-a-fuzzed-deployment-without-people")

    outcome = fuzz_pipeline(CASES, SEED, tmp_path)

    assert outcome.faults == []
    assert outcome.letters.total() > CASES // 20
    assert outcome.records > 0


def test_the_same_seed_makes_the_same_events(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "registry.db")
    registry = log.registry()

    first, again, other = (list(HostileEvents(seed, registry).make(50)) for seed in (3, 3, 4))
    log.close()

    assert first == again != other
