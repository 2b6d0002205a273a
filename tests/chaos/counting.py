"""The work done under chaos: every message of a key gets the next version of it, so a loss or a double shows at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.topics import DEAD_LETTERS, TopicSpec, table_topic
from streams.engine.contract import Message, Outbox, Store

NAME = "counter"
PARTITIONS = 4


class Load(NamedTuple):
    """What is sent."""

    keys: int
    rate: int  # messages a second


USUAL_LOAD = Load(20_000, 300)

TABLE = TopicSpec(table_topic(NAME), PARTITIONS, compacted=True, retention_ms=-1, max_message_bytes=1_000_000)
TOPICS = [
    TopicSpec("in", PARTITIONS, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
    TopicSpec("out", PARTITIONS, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
    TABLE,
    TopicSpec(DEAD_LETTERS, 1, compacted=False, retention_ms=-1, max_message_bytes=1_000_000),
]


class Counted(NamedTuple):
    """A message of `out`."""

    version: int  # how many messages of this key were counted
    number: int  # which message of this key it was counted for, as the load generator numbered them
    sent_ms: int
    partition: int  # of the inbox

    def encode(self) -> bytes:
        return b"%d %d %d %d" % self

    @classmethod
    def decode(cls, value: bytes) -> Counted:
        return cls(*map(int, value.split()))


class Counter:
    """Keeps the version and the sum of the numbers of each key."""

    name = NAME

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([message.key for message in batch if message.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        key, value = message.key, message.value
        assert key is not None
        assert value is not None
        number, sent_ms = map(int, value.split())
        version, total = fold(store.get(key), number)
        store.put(key, b"%d %d" % (version, total))
        out.send("out", key, Counted(version, number, sent_ms, message.partition).encode())


def fold(row: bytes | None, number: int) -> tuple[int, int]:
    """Version and sum after one more message."""
    version, total = map(int, row.split()) if row else (0, 0)
    return version + 1, total + number


class Folders(NamedTuple):
    """Where everything of a run is."""

    root: Path

    def worker(self, name: str) -> Path:
        return self.root / name

    def stores(self, name: str) -> Path:
        return self.root / name / "stores"

    @property
    def arrivals(self) -> Path:
        """What the verifying process saw, a line each time: inbox partition, when sent, when seen (ms)."""
        return self.root / "arrivals"

    @property
    def violations(self) -> Path:
        """What must not be, as the verifying process saw it."""
        return self.root / "violations"
