"""What the engine keeps in memory of its own rows in a store: so that no step has to look for them."""

from __future__ import annotations

from collections.abc import Mapping

from streams.engine.contract import ENGINE
from streams.engine.due import DUE, due_ms
from streams.engine.overlay import Backing
from streams.engine.parked import PARKED, RETRIES, read_tally
from streams.engine.split import SPLIT, split_rows

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
"""Between two ticks of which the first left the earliest due time where it was: rejected, or not understood."""

INDEXES = (DUE, RETRIES)


class OwnRows:
    """The engine's rows of one complete store, as they are committed, and whether its partition waits for a tick.

    A tick is written when something is due, and the next one not before that one was read and committed.
    """

    def __init__(self, store: Backing) -> None:
        self._store = store
        self.split = split_rows(store.scan(SPLIT))  # keys of split rows, and into how many parts
        self.parked = read_tally(store.get(PARKED)).count  # messages that wait to be tried again
        self._first = {index: self._look(index) for index in INDEXES}  # the earliest key of each index
        self._written_ms: int | None = None  # time of a tick that was written and not read yet
        self._met: tuple[bytes | None, ...] = ()  # the earliest keys as the last tick found them
        self._pause = 0.0
        self._not_before = 0.0  # by the monotonic clock

    def _look(self, index: bytes, after: bytes | None = None) -> bytes | None:
        return next((key for key, _ in self._store.scan(index, after)), None)

    @property
    def earliest_ms(self) -> int | None:
        """The earliest time at which something is due."""
        return min((due_ms(index, key) for index, key in self._first.items() if key is not None), default=None)

    def wants_tick(self, now_ms: int, clock: float) -> bool:
        """Whether a tick is to be written: `now_ms` by the wall clock, `clock` by the monotonic one."""
        at = self.earliest_ms
        return at is not None and at <= now_ms and self._written_ms is None and clock >= self._not_before

    def tick_written(self, time_ms: int) -> None:
        """A tick of this time is committed to the inbox."""
        self._written_ms = time_ms
        at = self.earliest_ms  # its own batch may have done what it was written for
        self._met = tuple(self._first.values()) if at is not None and at <= time_ms else ()

    def tick_read(self, time_ms: int, clock: float) -> None:
        """A tick of this time was processed, and that is committed; after `committed`."""
        if self._written_ms is None or time_ms < self._written_ms:
            return
        self._written_ms = None
        if self._met == tuple(self._first.values()):  # it did nothing: the next would do as little
            self._pause = min(2 * self._pause or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            self._not_before = clock + self._pause
        else:
            self._pause = 0.0

    def committed(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Rows as they were stored just now."""
        own = {key: value for key, value in rows.items() if key.startswith(ENGINE)}
        if not own:
            return
        for key, parts in split_rows((key, value) for key, value in own.items() if key.startswith(SPLIT)).items():
            if parts:
                self.split[key] = parts
            else:
                self.split.pop(key, None)
        if PARKED in own:
            self.parked = read_tally(own[PARKED]).count
        for index in INDEXES:
            written = {key: value for key, value in own.items() if key.startswith(index)}
            first = self._first[index]
            if first in written and written[first] is None:
                first = self._look(index, first)  # a disk may still have the traces of all that was before
            added = [key for key, value in written.items() if value is not None]
            self._first[index] = min([*added, *([first] if first else [])], default=None)
