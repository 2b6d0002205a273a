from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

from connectors.mappings import shipped_mapping
from connectors.registry import RegistryAwayError
from schemas.registry import RegistryError
from streams.app import run
from streams.app.config import Configuration
from streams.app.run import LONGEST_PAUSE_SECONDS, Runner, StoppedError, once_registry_is_there
from streams.app.watch import Watch
from streams.app.wiring import Deployment
from streams.engine.contract import Processor
from streams.records import Records


class Pauses(threading.Event):
    """Told to stop after so many pauses, none of which takes any time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        if len(self.seconds) >= self._most:
            self.set()
        return self.is_set()


class Making:
    """A processor that can be made once the registry was away so many times."""

    def __init__(self, away: int) -> None:
        self.made = Records()
        self._away = away

    def __call__(self) -> Processor:
        self._away -= 1
        if self._away >= 0:
            raise RegistryAwayError("it is away")
        return self.made


def test_a_processor_is_made_once_the_registry_is_there_and_its_wait_is_told(caplog: pytest.LogCaptureFixture) -> None:
    watch, making, pauses = Watch("notify"), Making(away=6), Pauses(most=100)
    assert once_registry_is_there(making, watch, pauses) is making.made
    assert pauses.seconds == [0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert watch.snapshot.trouble == "it is away"
    assert "notify: cannot begin, again in 0.5 s: it is away" in caplog.text


def test_whoever_waits_for_the_registry_can_be_told_to_stop() -> None:
    with pytest.raises(StoppedError):
        once_registry_is_there(Making(away=100), Watch("notify"), Pauses(most=3))


def test_a_registry_that_refuses_is_not_waited_for() -> None:
    def refused() -> Processor:
        raise RegistryError("it refuses")

    pauses = Pauses(most=3)
    with pytest.raises(RegistryError, match="refuses"):
        once_registry_is_there(refused, Watch("notify"), pauses)
    assert pauses.seconds == []


def test_of_an_unforeseen_error_only_type_and_place_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worker(self: Runner, name: str, watch: Watch) -> None:
        raise KeyError("valerie".title())

    monkeypatch.setattr(Runner, "_worker", worker)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    monkeypatch.setattr(run, "take_precedence", lambda _: None)
    config = tmp_path / "singleview.yaml"
    config.write_text(f"realms: {{north: 0}}\nsources: [{shipped_mapping('crm')}]\nregistry: {{url: http://localhost:1}}\n")
    failures = Runner(Deployment(Configuration.load(config)), ["customers"], "host").run()
    assert str(failures["customers"]) == "unforeseen KeyError: see the log"
    assert "customers: an unforeseen error" in caplog.text
    assert "in worker" in caplog.text
    assert "Valerie" not in caplog.text
