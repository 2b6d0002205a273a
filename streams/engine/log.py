"""The log as the engine sees it: the port its adapters (Kafka, embedded, simulated) implement.

One `Session` is one processor instance's end of the log. The runtime calls it from one thread.

Errors of a session, and what the runtime does:

    LogError
    ├── AbortedError      the transaction did not happen: rewind and do the batch again
    ├── UnknownError      nobody knows whether it happened: forget everything, catch up with the log as after a crash
    ├── UnavailableError  the log does not answer: wait, say so, and call again
    └── FencedError       another instance has this id: leave at once

Any other LogError is one that waiting does not mend (no access, a topic that is not there): the instance ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from streams.engine.contract import Message
from streams.engine.outbox import Outgoing


class LogError(Exception):
    """Something is wrong with the log."""


class AbortedError(LogError):
    """The transaction was aborted: nothing of it will be seen."""


class UnknownError(LogError):
    """The result of the transaction is not known."""


class UnavailableError(LogError):
    """The log does not answer now. Nothing was done by this call: it may be made again."""


class FencedError(LogError):
    """A newer instance with the same id has taken over."""


class Inbox(NamedTuple):
    """One partition of an inbox."""

    topic: str
    partition: int


NO_NOTES: Mapping[Inbox, str] = MappingProxyType({})


class TableRecord(NamedTuple):
    """One row's new value (None: deleted) in a table topic."""

    offset: int
    key: bytes
    value: bytes | None


class TableEnd(NamedTuple):
    """Where a table partition stands when a restore begins."""

    topic_id: str  # changes when the topic is deleted and created again
    start: int  # first offset there is
    end: int  # one past the last, transaction markers included
    name: str = "the table topic"  # as operators know it
    consumed: bool = False  # messages of its inbox were: a row at least must have come of them


class Listener(Protocol):
    """Told of partitions that come and go; called from within `Session.poll` and `Session.close`.

    A rebalance waits for these calls: they do what is quick, and never ask the log.
    """

    def assigned(self, partitions: Iterable[Inbox]) -> None:
        """Partitions are ours. No message of them is polled until `Session.resume`."""
        ...

    def revoked(self, partitions: Iterable[Inbox]) -> None:
        """Partitions are no longer ours after this call. No batch is open."""
        ...


class TableLog(Protocol):
    """The table topic of one processor, for reading."""

    def table_end(self, partition: int) -> TableEnd:
        """Fetches the stable committed offset of the inbox partition first, which `resume` then begins at: so the table
        up to this end covers all it reflects."""
        ...

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        """Committed records from `start` until the position reaches `end`, in batches; empty ones show it is alive."""
        ...


class Session(TableLog, Protocol):
    """One processor instance's end of the log: its inbox in, its transaction out."""

    @property
    def transaction_seconds(self) -> float:
        """How long a transaction may be open before the log aborts it; infinite if it never does."""
        ...

    def listen(self, listener: Listener) -> None:
        """Says who is told of partitions; before the first `poll`."""
        ...

    def poll(self, limit: int, timeout: float) -> list[Message]:
        """At most `limit` messages of resumed partitions; waits up to `timeout` seconds only when there is none."""
        ...

    def resume(self, partition: Inbox) -> None:
        """Messages of this partition may now be polled, from its committed offset."""
        ...

    def pause(self, partition: Inbox) -> None:
        """No message of this partition is polled until it is resumed."""
        ...

    def begin(self) -> None:
        """Step 1 of the commit protocol. Nothing is left of a batch that was given up: a batch of ticks sends no offsets."""
        ...

    def note(self, partition: Inbox) -> str:
        """What was committed with the offset at which the partition was resumed; empty if nothing was."""
        ...

    def send_offsets(self, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str] = NO_NOTES) -> None:
        """Step 2: the next offset to consume of each partition in the batch, and what is remembered with it. Said again,
        the last one holds.

        Does not wait for the answer: that it was refused may be raised by any later call of this transaction.
        """
        ...

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """Steps 3 and 4: outputs, some at a time."""
        ...

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        """Step 3: a record of the table topic for each row changed, once for each of its inboxes; None deletes it."""
        ...

    def commit(self) -> Mapping[Inbox, int]:
        """Step 5. Returns for each partition of the table topic written one past the last record's offset."""
        ...

    def abort(self) -> None:
        """Gives up the open transaction, if any."""
        ...

    def rewind(self) -> None:
        """After an abort: poll again from the committed offsets. Partitions that are paused find theirs anew at `resume`."""
        ...

    def close(self) -> None: ...
