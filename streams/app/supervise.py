"""Keeps several processes of one command running: a parent that starts them anew, and ends them with itself.

A child that dies is started again after a pause that doubles. One that dies too often is not: the parent ends the others
and says so, for whoever started it to see. So two deployments that by mistake use one instance name, and fence each other
for ever, come to an end.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from streams.app.console import UsageError, WorkError
from streams.app.stopping import STOPPING, when_asked_to_stop

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""How often the children are looked at."""

DRAIN_SECONDS = 10.0
"""How long children have to end their open batches, once told to; then they are killed."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
WINDOW_SECONDS = 60.0
MOST_RESTARTS = 5
"""Within the window, of one child."""

ENDED_AS_TOLD = frozenset({0, *(-number for number in STOPPING)})
"""Exit codes of a child that was told to end; by the signal itself if it came before there was anything to drain."""

WRONG_USE = 2
"""Exit code of a child that would fail again however often it is started (streams/app/exits.py)."""


class Child(Protocol):
    """A process, as the supervisor sees it."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        ...

    def terminate(self) -> None:
        """Asks it to end."""
        ...

    def kill(self) -> None: ...

    def wait(self, timeout: float) -> int | None:
        """Its exit code; None if it still runs after `timeout` seconds."""
        ...


@dataclass
class _Place:
    """What is known of one of the processes over its restarts."""

    name: str
    child: Child | None = None
    deaths: deque[float] = field(default_factory=deque)  # times within the window
    again_at: float = 0.0


class Supervisor:
    """Runs children until `stop`, or a signal that asks it to."""

    def __init__(
        self,
        spawn: Callable[[int], Child],
        names: Sequence[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spawn` starts the child of an index. `names` are for messages, one for each child."""
        self._spawn = spawn
        self._places = [_Place(name) for name in names]
        self._clock = clock
        self._stopping = threading.Event()
        self._told = False  # to stop, by a signal

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Blocks until stopped and all children have ended.

        Raises WorkError if a child died too often, or could not end properly; UsageError if it said that it never will run.
        """
        when_asked_to_stop(self._on_signal)
        try:
            self.look()
            while not (self._told or self._stopping.wait(LOOK_SECONDS)):
                self.look()
        except BaseException:
            self._end()
            raise
        if unclean := self._end():
            raise WorkError("; ".join(unclean))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._told = True  # and no more: `stop` takes a lock, which the main thread may hold just now

    def look(self) -> None:
        """Starts what should run and does not."""
        for index, place in enumerate(self._places):
            if place.child is not None and (code := place.child.poll()) is not None:
                place.child = None
                self._died(place, code)
            if place.child is None and self._clock() >= place.again_at:
                place.child = self._spawn(index)

    def _died(self, place: _Place, code: int) -> None:
        """Decides when to start a child again. Raises WorkError or UsageError if that makes no sense."""
        if code == WRONG_USE:
            raise UsageError(f"process {place.name} cannot run: see its message above")
        now = self._clock()
        place.deaths.append(now)
        while place.deaths[0] < now - WINDOW_SECONDS:
            place.deaths.popleft()
        count = len(place.deaths)
        if count > MOST_RESTARTS:
            raise WorkError(
                f"process {place.name} ended {count} times within {WINDOW_SECONDS:.0f} s, last {describe(code)}: see its"
                " messages above. If it was fenced, another process has its name: give each an --instance of its own"
            )
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (count - 1), LONGEST_PAUSE_SECONDS)
        place.again_at = now + pause
        log.warning("process %s ended %s: starts again in %.1f s", place.name, describe(code), pause)

    def _end(self) -> list[str]:
        """Ends all children in time; returns what did not go as it should."""
        running = [place for place in self._places if place.child is not None]
        for place in running:
            if place.child is not None:
                place.child.terminate()
        deadline = self._clock() + DRAIN_SECONDS
        unclean = []
        for place in running:
            assert place.child is not None
            code = place.child.wait(max(0.0, deadline - self._clock()))
            if code is None:
                place.child.kill()
                place.child.wait(DRAIN_SECONDS)
                unclean.append(f"process {place.name} did not end within {DRAIN_SECONDS:.0f} s and was killed")
            elif code not in ENDED_AS_TOLD:
                unclean.append(f"process {place.name} ended {describe(code)}")
            place.child = None
        return unclean


def describe(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
