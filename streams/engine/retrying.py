"""Trying parked messages again, when a tick comes: each is undone alone if it fails, and none of them harms the tick."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable

from schemas.messages import TICK, Tick
from streams.engine.contract import Message, Processor, RejectedError, TransientError
from streams.engine.log import AbortedError, LogError
from streams.engine.outbox import BatchOutbox
from streams.engine.overlay import Overlay, StoreError
from streams.engine.parked import Tries, due_again, hurry, release, wait_longer
from streams.engine.trace import trace_of

log = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"
"""What came of a try."""

TELL_SECONDS = 60.0
"""A message that fails again is told at most this often: there may be many."""


class Retrying:
    """The tries of one processor instance."""

    def __init__(self, processor: Processor, longest_seconds: float, clock: Callable[[], float]) -> None:
        """`longest_seconds`: what a transaction may take."""
        self._processor = processor
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._slow: set[bytes] = set()  # took longer than that: not tried for this time
        self._told = -math.inf

    def run(self, message: Message, tick: Tick, overlay: Overlay, out: BatchOutbox, deadline: float) -> Counter[str]:
        """Tries some of what waits for the tick's time: if that is not all, the next tick comes at once.

        Returns what came of it. Raises StoreError, LogError, TransientError: the batch is done again.
        """
        results: Counter[str] = Counter()
        if tick.everything and hurry(overlay, tick.time):
            again = TICK.encode(Tick(time=tick.time, everything=True, parked=True))
            out.send_to(message.topic, message.partition, None, again)
        for number, key in enumerate(due_again(overlay, tick.time)):
            if number and self._clock() > deadline:
                break
            overlay.mark()
            out.mark()
            found = release(overlay, key)
            if found is not None:
                results[self._try(key, *found, tick.time, overlay, out)] += 1
        return results

    def _try(self, key: bytes, message: Message, tries: Tries, now_ms: int, overlay: Overlay, out: BatchOutbox) -> str:
        began = self._clock()
        error: Exception | None = None
        try:
            if key in self._slow:
                raise RejectedError("too-slow", "it took longer than a transaction may")
            self._processor.process(message, overlay, out)
        except (StoreError, LogError, TransientError):
            raise
        except Exception as failed:  # out of memory as well: it waits
            error = failed
        seconds = self._clock() - began
        if seconds > self._longest_seconds:
            self._slow.add(key)
            raise AbortedError(f"{message.ref} was tried again and took {seconds:.1f} s: it waits longer")
        if error is None:
            what, trace = "%s: %s was refused before, and is processed now", trace_of(message.headers)
            log.info(what, self._processor.name, message.ref, extra=trace)
            return DONE
        overlay.undo()
        out.undo()
        wait_longer(overlay, key, tries, now_ms)
        self._tell(message, tries.count + 1, error)
        return FAILED

    def _tell(self, message: Message, count: int, error: Exception) -> None:
        if self._clock() - self._told < TELL_SECONDS:
            return
        self._told = self._clock()
        reason = error.reason if isinstance(error, RejectedError) else type(error).__name__
        what, trace = "%s: %s failed %d times and stays parked: %s", trace_of(message.headers)
        log.warning(what, self._processor.name, message.ref, count, reason, extra=trace)
