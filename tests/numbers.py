"""A processor that has no store and must remember, for tests of what is committed with the offsets."""

from __future__ import annotations

from collections.abc import Sequence

from streams.engine.contract import Message, Outbox, Store, TransientError


class Numbers:
    """Sends for each message how many came before it in its partition: without a store, so it has to remember."""

    name = "numbers"

    def __init__(self, fails_at: int = -1, topic: str = "in") -> None:
        self._topic = topic
        self._fails_at = fails_at
        self._before = 0
        self._seen: set[int] = set()

    def recall(self, topic: str, partition: int, note: str) -> None:
        self._before, self._seen = int(note or "0"), set()

    def remember(self, topic: str, partition: int, offset: int) -> str:
        return str(self._before + sum(1 for seen in self._seen if seen < offset))

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Nothing to look up."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if message.offset == self._fails_at:
            self._fails_at = -1
            raise TransientError("away")
        out.send("out", b"k", self.remember(self._topic, 0, message.offset).encode())
        self._seen.add(message.offset)
