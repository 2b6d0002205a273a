from __future__ import annotations

import threading

import pytest

from connectors.registry import RegistryAwayError
from schemas.registry import RegistryError
from streams.app.run import LONGEST_PAUSE_SECONDS, StoppedError, once_registry_is_there
from streams.app.watch import Watch
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
