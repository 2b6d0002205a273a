from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

from streams.app.console import UsageError, WorkError
from streams.app.stopping import STOPPING
from streams.app.supervise import (
    DRAIN_SECONDS,
    MOST_RESTARTS,
    WINDOW_SECONDS,
    Supervisor,
    describe,
)


class FakeChild:
    """A process that ends when the test says so, or when it is told to."""

    def __init__(self, clock: Clock, *, obedient: bool = True, code_when_told: int = 0) -> None:
        self.code: int | None = None
        self.told: list[str] = []
        self._clock = clock
        self._obedient = obedient
        self._code_when_told = code_when_told

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.told.append("terminate")
        if self._obedient:
            self.code = self._code_when_told

    def kill(self) -> None:
        self.told.append("kill")
        self.code = -signal.SIGKILL

    def wait(self, timeout: float) -> int | None:
        if self.code is None:
            self._clock.now += timeout
        return self.code


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Plant:
    """A supervisor of fakes."""

    def __init__(self, count: int = 2, **child: object) -> None:
        self.clock = Clock()
        self.started: list[tuple[int, FakeChild]] = []
        self._child = child
        self.supervisor = Supervisor(self._spawn, [f"host-{index}" for index in range(count)], clock=self.clock)

    def _spawn(self, index: int) -> FakeChild:
        child = FakeChild(self.clock, **self._child)  # type: ignore[arg-type]
        self.started.append((index, child))
        return child

    def of(self, index: int) -> Sequence[FakeChild]:
        return [child for number, child in self.started if number == index]

    def stopped_run(self) -> None:
        """Starts all, and is told to stop at once."""
        before = {number: signal.getsignal(number) for number in STOPPING}
        self.supervisor.stop()
        try:
            self.supervisor.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def test_a_child_that_dies_is_started_again_after_a_pause_that_doubles() -> None:
    plant = Plant()
    plant.supervisor.look()
    for deaths, pause in enumerate((0.5, 1.0, 2.0), start=1):
        plant.of(0)[-1].code = 1
        plant.supervisor.look()
        plant.clock.now += pause - 0.01
        plant.supervisor.look()
        assert len(plant.of(0)) == deaths
        plant.clock.now += 0.02
        plant.supervisor.look()
        assert len(plant.of(0)) == deaths + 1
    assert len(plant.of(1)) == 1


def test_a_child_that_dies_too_often_ends_all_and_is_named() -> None:
    plant = Plant()
    plant.supervisor.look()
    for _ in range(MOST_RESTARTS):
        plant.of(1)[-1].code = 1
        plant.supervisor.look()
        while plant.of(1)[-1].code is not None:
            plant.clock.now += 0.5
            plant.supervisor.look()
    plant.of(1)[-1].code = 1
    with pytest.raises(WorkError, match=rf"host-1 ended {MOST_RESTARTS + 1} times .*exit code 1.*--instance"):
        plant.supervisor.look()


def test_deaths_far_apart_are_each_started_again_at_once_for_ever() -> None:
    plant = Plant()
    plant.supervisor.look()
    for _ in range(3 * MOST_RESTARTS):
        plant.of(0)[-1].code = -signal.SIGKILL
        plant.supervisor.look()
        plant.clock.now += WINDOW_SECONDS + 1
        plant.supervisor.look()
    assert plant.of(0)[-1].code is None
    assert len(plant.of(0)) == 3 * MOST_RESTARTS + 1


def test_a_child_that_cannot_be_used_is_not_started_again() -> None:
    plant = Plant()
    plant.supervisor.look()
    plant.of(0)[0].code = 2
    with pytest.raises(UsageError, match="host-0 cannot run"):
        plant.supervisor.look()
    assert len(plant.started) == 2


def test_stopping_tells_every_child_and_waits_for_it() -> None:
    plant = Plant(count=3)
    plant.stopped_run()
    assert [child.told for _, child in plant.started] == [["terminate"]] * 3
    assert plant.clock.now == 1_000.0


def test_a_child_that_was_told_before_it_could_listen_has_ended_as_told() -> None:
    Plant(code_when_told=-signal.SIGTERM).stopped_run()


def test_children_that_do_not_end_in_time_are_killed_all_within_one_deadline() -> None:
    plant = Plant(obedient=False)
    with pytest.raises(WorkError, match=r"host-0 did not end within 10 s and was killed; process host-1 did not end"):
        plant.stopped_run()
    assert [child.told for _, child in plant.started] == [["terminate", "kill"]] * 2
    assert plant.clock.now == 1_000.0 + DRAIN_SECONDS


def test_a_child_that_fails_while_it_ends_is_told() -> None:
    with pytest.raises(WorkError, match="host-0 ended with exit code 1"):
        Plant(count=1, code_when_told=1).stopped_run()


def test_the_others_are_ended_when_one_cannot_be_kept_running(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant()
    plant.supervisor.look()
    plant.of(0)[0].code = 2
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    with pytest.raises(UsageError):
        plant.supervisor.run()
    assert plant.of(1)[0].told == ["terminate"]


@pytest.mark.parametrize(
    ("code", "words"), [(1, "with exit code 1"), (-signal.SIGKILL, "by SIGKILL"), (-250, "by signal 250")]
)
def test_an_exit_code_is_told_in_words(code: int, words: str) -> None:
    assert describe(code) == words
