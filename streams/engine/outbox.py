"""What a batch sends, gathered until it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from schemas.topics import LARGEST_VALUE_BYTES
from streams.engine.contract import Headers, RejectedError


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One message to produce. Without a partition the log chooses it by the key (murmur2)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


Encoded = Callable[[], bytes]
Partitioner = Callable[[bytes], int]


class BatchOutbox:
    """An `Outbox` with marks: what one message sent can be taken back.

    `partitioners` names topics whose partition is an explicit map of the key, such as realm to partition.
    """

    __slots__ = ("_latest", "_latest_journal", "_mark", "_partitioners", "_sent", "refused")

    def __init__(self, partitioners: dict[str, Partitioner] | None = None) -> None:
        self._partitioners = partitioners or {}
        self._sent: list[Outgoing] = []
        self._latest: dict[tuple[str, bytes], tuple[Encoded | None, Headers]] = {}
        self._latest_journal: list[tuple[tuple[str, bytes], tuple[Encoded | None, Headers] | None]] = []
        self._mark = 0
        self.refused: tuple[str, str] | None = None  # reason and detail: a part of the message is refused

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        if value is not None and len(value) > LARGEST_VALUE_BYTES:
            raise RejectedError(
                "too-large", f"it leads to {len(value):,} bytes for {topic}, more than {LARGEST_VALUE_BYTES:,}"
            )
        partition = self._partition(topic, key) if self._partitioners else None
        self._sent.append(Outgoing(topic, key, value, headers, partition))

    def send_to(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        self._sent.append(Outgoing(topic, key, value, (), partition))

    def refuse(self, reason: str, detail: str) -> None:
        self.refused = reason, detail

    def keep(self, letter: Outgoing) -> None:
        """Sends a dead letter, which may be larger than what processors send."""
        self._sent.append(letter)

    def latest(self, topic: str, key: bytes, value: Encoded | None, headers: Headers = ()) -> None:
        slot = (topic, key)
        self._latest_journal.append((slot, self._latest.get(slot)))
        self._latest[slot] = (value, headers)

    def mark(self) -> None:
        """Forgets earlier marks: `undo` goes back to here."""
        self._mark = len(self._sent)
        self._latest_journal.clear()
        self.refused = None

    def undo(self) -> None:
        """Takes back everything sent since the last mark."""
        del self._sent[self._mark :]
        for slot, before in reversed(self._latest_journal):
            if before is None:
                del self._latest[slot]
            else:
                self._latest[slot] = before
        self._latest_journal.clear()

    @property
    def waiting(self) -> int:
        """How many messages `take` would take."""
        return len(self._sent)

    def take(self) -> list[Outgoing]:
        """The messages sent until now, in their order. They leave the outbox: nothing of them can be undone."""
        taken, self._sent, self._mark = self._sent, [], 0
        return taken

    def outgoing(self) -> Iterator[Outgoing]:
        """All that is left to produce: messages in the order sent, then the last value of each compacted key."""
        yield from self._sent
        for (topic, key), (value, headers) in self._latest.items():
            yield Outgoing(topic, key, value() if value else None, headers, self._partition(topic, key))

    def _partition(self, topic: str, key: bytes | None) -> int | None:
        choose = self._partitioners.get(topic)
        return choose(key) if choose and key is not None else None
