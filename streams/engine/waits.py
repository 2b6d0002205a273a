"""Partitions whose next message needs something that is away: each is tried again after a pause, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from streams.engine.contract import Message
from streams.engine.log import Inbox
from streams.engine.stops import partition_of

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 5.0
QUIET_SECONDS = 30.0
"""A partition that goes on waiting is spoken of this often."""


@dataclass
class _Wait:
    """Why one partition waits, and since when."""

    why: str
    until: float
    pause: float
    tried: bool = False  # its pause is over, and nothing came of it yet
    said: float = 0.0


class Waits:
    """Only of processors without a store: others' batches are given back whole."""

    def __init__(self, processor: str, first_pause: float, clock: Callable[[], float]) -> None:
        self._processor = processor
        self._first = first_pause
        self._clock = clock
        self._waits: dict[Inbox, _Wait] = {}

    def __bool__(self) -> bool:
        return bool(self._waits)

    def __contains__(self, inbox: Inbox) -> bool:
        """Whether it is not to be read now."""
        wait = self._waits.get(inbox)
        return wait is not None and not wait.tried

    @property
    def why(self) -> dict[str, str]:
        """Partitions that wait, as operators read of them, and why."""
        return {partition_of(inbox): f"waits: {wait.why}" for inbox, wait in self._waits.items()}

    def begin(self, message: Message, why: str) -> None:
        """This message, and what follows it in its partition, waits."""
        inbox, now = Inbox(message.topic, message.partition), self._clock()
        before = self._waits.get(inbox)
        pause = min(2 * before.pause, LONGEST_PAUSE_SECONDS) if before else self._first
        wait = self._waits[inbox] = _Wait(why, now + pause, pause, said=before.said if before else now - QUIET_SECONDS)
        if now - wait.said >= QUIET_SECONDS:
            wait.said = now
            log.warning("%s: %s waits at offset %d: %s", self._processor, partition_of(inbox), message.offset, why)

    def over(self) -> list[Inbox]:
        """Those to be tried again now."""
        now = self._clock()
        found = [inbox for inbox, wait in self._waits.items() if not wait.tried and now >= wait.until]
        for inbox in found:
            self._waits[inbox].tried = True
        return found

    def done(self, inbox: Inbox) -> None:
        """A message of it was processed, or it is no longer ours."""
        if self._waits.pop(inbox, None) is not None:
            log.info("%s: %s goes on", self._processor, partition_of(inbox))
