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
            changes = reader(message)
            for change in changes:
                self._check_realm(change)
        except RejectedError as rejected:
            if recent.rejected():
                raise SourceStoppedError(
                    f"more than {self._stop.share:.0%} of the last {recent.seen} events were dead letters"
                    f" (latest: {rejected.reason}: {rejected.detail}). Correct the mapping or the source, then start again"
                ) from rejected
            raise
        recent.accepted()
        for change in changes:
            out.send(RECORDS, change.record.encode(), RECORDS_CODEC.encode(change))

    def _check_realm(self, change: SourceChange) -> None:
        if realm_of(change.record) not in self._realms:
            raise RejectedError("unknown-realm", f"the event's realm is not one of: {', '.join(sorted(self._realms))}")


class _Recent:
    """The fate of the latest events of one topic."""

    def __init__(self, rule: StopRule) -> None:
        self._rule = rule
        self._fates: deque[bool] = deque(maxlen=rule.window)
        self._dead = 0

    @property
    def seen(self) -> int:
        return len(self._fates)

    def accepted(self) -> None:
        self._note(dead=False)

    def rejected(self) -> bool:
        """Notes a dead letter; True if the source must stop before it."""
        self._note(dead=True)
        return len(self._fates) >= self._rule.least and self._dead > self._rule.share * len(self._fates)

    def _note(self, *, dead: bool) -> None:
        if len(self._fates) == self._rule.window:
            self._dead -= self._fates[0]
        self._fates.append(dead)
        self._dead += dead
