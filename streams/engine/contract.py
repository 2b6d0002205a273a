"""What a processor sees of the engine: messages in, a store, an outbox. Nothing of Kafka, SQLite or RocksDB.

A processor is deterministic: no clock, no random, no I/O beyond `store` and `out`, so a batch that is undone and done
again gives the same result. Time enters as the messages' timestamps, and as ticks: see `streams.engine.due`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

ENGINE = b"\x00engine/"
"""Beginning of the keys of rows that the engine keeps in a processor's store."""

Headers = tuple[tuple[str, bytes | None], ...]
"""Kafka allows a header without a value."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of an inbox, as the log holds it. Of atoms only, so Python's collector need not look at it (`gc`)."""

    topic: str  # logical name, without the deployment's prefix
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int  # ms since the epoch, from the log

    @property
    def ref(self) -> str:
        """`topic/partition/offset`: how causes and dead letters name a message."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Store(Protocol):
    """The keyed state of one partition: reads see this batch's writes; a rejected message's writes are undone.

    Keys and values are bytes. Keys that begin with `ENGINE` are not the processor's; a scan of others does not show them.
    Never mutate what was read in a way that later reads would see.
    """

    def get(self, key: bytes) -> bytes | None: ...

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """One round trip for many keys; in the order asked."""
        ...

    def load(self, keys: Iterable[bytes]) -> None:
        """Reads many rows ahead, in one round trip."""
        ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key starts with `prefix` (and is greater than `after`), in key order.

        Do not write to the store while iterating: collect first.
        """
        ...


class Outbox(Protocol):
    """What a message leads to. Sent when the batch commits, with it; dropped if the message is rejected."""

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Every message is kept, in order."""
        ...

    def send_to(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        """The same, to a partition that is named: for ticks, which have no key."""
        ...

    def latest(self, topic: str, key: bytes, value: Callable[[], bytes] | None, headers: Headers = ()) -> None:
        """Only the last of a batch is sent per key (for compacted topics); encoded then. None is a tombstone."""
        ...

    def refuse(self, reason: str, detail: str) -> None:
        """Keeps the message as a dead letter for a part of it, while what the rest leads to is sent."""
        ...


class RejectedError(Exception):
    """This message cannot be processed: undo it, keep it as a dead letter, go on.

    `reason` is a short, fixed word for counting; `detail` says what and where, and never holds a personal value.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class SourceStoppedError(Exception):
    """Stop reading this message's topic before this message, and say why; other topics go on."""


class DamagedStoreError(Exception):
    """Rows of the store contradict each other: it is rebuilt from its table topic. If that has not helped, the message is
    taken for the one that cannot be processed."""


class TransientError(Exception):
    """Something the processor needs is away (a schema registry): the whole batch is done again, after a pause."""


@runtime_checkable
class Remembering(Protocol):
    """A processor without a store that goes by something small of what it has read of each partition.

    It is committed with the offsets, as a note, so that whoever reads the partition on goes by the same.
    """

    def recall(self, topic: str, partition: int, note: str) -> None:
        """The partition is read from here on. `note`: what `remember` gave for all before; empty if there is none."""
        ...

    def remember(self, topic: str, partition: int, offset: int) -> str:
        """What the messages before `offset` amount to, in at most `LARGEST_NOTE` characters of ASCII. Says the same of the
        same messages, whatever was read behind them and given back."""
        ...


LARGEST_NOTE = 1_000


class Processor(Protocol):
    """One stage: one inbox, one store, deterministic. One with a store also gets ticks (`streams.engine.due`)."""

    name: str

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Look at a whole batch of one partition before it is processed: prefetch with `get_many`, precompute.

        Optional, pure, never raises for a bad message: `process` will meet it.
        """
        ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        """Handle one message. Raises RejectedError for one that can never be processed."""
        ...
