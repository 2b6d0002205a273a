"""intake: source events in, canonical changes out (eTOM 1.3.16.3 capture).

Inbox: the source topics, however they are partitioned. No state. Emits `SourceChange` to `records`, keyed by record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from schemas.canonical import realm_of
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import SourceChange
from schemas.topics import RECORDS
from streams.engine.contract import Message, Outbox, RejectedError, SourceStoppedError, Store

LARGEST_CHANGE_BYTES = 2 << 20
"""Of an encoded change. Mappings read events of up to 1 MB and keep raw values beside the others, which doubles it at most,
unless one value is copied into each of a thousand elements. The record's row and what its customer is told of it are larger
by little: so all of them are far below what the log takes as one message."""

Reader = Callable[[Message], Sequence[SourceChange]]
"""A source's decoder and mapping: the canonical changes in one event. Raises RejectedError, or TransientError."""


class StopRule(NamedTuple):
    """When a source is stopped rather than drained into the dead letters."""

    share: float = 0.5  # of dead letters among the last `window` events
    window: int = 200
    least: int = 50  # events seen before the share means anything


class Intake:
    """Maps every source event to canonical changes."""

    name = "intake"

    def __init__(self, readers: Mapping[str, Reader], realms: Collection[str], stop: StopRule = StopRule()) -> None:  # noqa: B008
        """`readers`: by source topic."""
        self._readers = readers
        self._realms = frozenset(realms)
        self._stop = stop
        self._recent = {topic: _Recent(stop) for topic in readers}

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Nothing to prefetch."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:  # noqa: ARG002
        reader = self._readers.get(message.topic)
        if reader is None:
            raise RejectedError("unknown-source", f"no mapping reads topic {message.topic}")
        recent = self._recent[message.topic]
        try:
            encoded = [(change.record.encode(), self._encode(change)) for change in self._ours(reader(message))]
        except RejectedError as rejected:
            if recent.rejected(message):
                raise SourceStoppedError(
                    f"more than {self._stop.share:.0%} of the last {recent.seen} events were dead letters"
                    f" (latest: {rejected.reason}: {rejected.detail}). Correct the mapping or the source, then start again"
                ) from rejected
            raise
        recent.accepted(message)
        for record, change in encoded:
            out.send(RECORDS, record, change)

    def _ours(self, changes: Sequence[SourceChange]) -> Sequence[SourceChange]:
        """All that matters: what left a realm that is not ours was never taken in, so there is nothing of it to delete.

        The last change is what the event's record is now.
        """
        if len(changes) < 2:
            return changes
        return [*(change for change in changes[:-1] if realm_of(change.record) in self._realms), changes[-1]]

    def _encode(self, change: SourceChange) -> bytes:
        if realm_of(change.record) not in self._realms:
            raise RejectedError("unknown-realm", f"the event's realm is not one of: {', '.join(sorted(self._realms))}")
        encoded = RECORDS_CODEC.encode(change)
        if len(encoded) > LARGEST_CHANGE_BYTES:
            raise RejectedError(
                "too-large",
                f"the mapping makes a {change.operation} of {len(encoded):,} bytes of the event, more than the"
                f" {LARGEST_CHANGE_BYTES:,} allowed: does it copy a long value into each element of a list?",
            )
        return encoded


class _Recent:
    """The fate of the latest events of one topic, each counted once however often its batch is done again."""

    def __init__(self, rule: StopRule) -> None:
        self._rule = rule
        self._fates: deque[bool] = deque(maxlen=rule.window)
        self._dead = 0
        self._counted: dict[int, int] = {}  # by partition: the latest offset

    @property
    def seen(self) -> int:
        return len(self._fates)

    def accepted(self, message: Message) -> None:
        self._note(message, dead=False)

    def rejected(self, message: Message) -> bool:
        """Notes a dead letter; True if the source must stop before it."""
        self._note(message, dead=True)
        return len(self._fates) >= self._rule.least and self._dead > self._rule.share * len(self._fates)

    def _note(self, message: Message, *, dead: bool) -> None:
        if message.offset <= self._counted.get(message.partition, -1):
            return
        self._counted[message.partition] = message.offset
        if len(self._fates) == self._rule.window:
            self._dead -= self._fates[0]
        self._fates.append(dead)
        self._dead += dead
