"""Tells of dead letters in the log: a line for each kind now and then, with how many there were, and never a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from streams.engine.contract import Message

log = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""From one line about a kind of dead letter to the next, at least."""


class Kept(NamedTuple):
    """A dead letter of a batch."""

    topic: str
    reason: str
    ref: str  # topic/partition/offset
    detail: str  # what and where; holds no personal value


class DeadLetterLog:
    """What one processor instance says of its dead letters. A kind is a topic and a reason."""

    def __init__(self, processor: str, clock: Callable[[], float]) -> None:
        self._processor = processor
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}  # when a kind was last spoken of
        self._waiting: dict[tuple[str, str], tuple[int, Kept]] = {}  # how many since, and the latest

    @staticmethod
    def kept(message: Message, reason: str, detail: str) -> Kept:
        """A note of a dead letter, for when its batch is committed."""
        return Kept(message.topic, reason, message.ref, detail)

    def committed(self, letters: list[Kept]) -> None:
        """These are dead letters now."""
        for letter in letters:
            kind = letter.topic, letter.reason
            count, _ = self._waiting.get(kind, (0, letter))
            self._waiting[kind] = count + 1, letter
        self.tell()

    def tell(self) -> None:
        """Speaks of the kinds whose time has come. Quick when there is nothing to say: it is called all the time."""
        if not self._waiting:
            return
        now = self._clock()
        for kind in [kind for kind in self._waiting if now - self._said.get(kind, -QUIET_SECONDS) >= QUIET_SECONDS]:
            count, latest = self._waiting.pop(kind)
            self._said[kind] = now
            many = "a dead letter" if count == 1 else f"{count:,} dead letters, the latest"
            what = "%s: %s of %s: %s, %s (%s)"
            log.warning(what, self._processor, many, latest.topic, latest.reason, latest.detail, latest.ref)

    def close(self) -> None:
        """Speaks of what is left."""
        self._said.clear()
        self.tell()
