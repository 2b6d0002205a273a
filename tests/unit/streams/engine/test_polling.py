from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.engine.contract import Message, Outbox, Store
from streams.engine.log import NO_NOTES, Inbox, Listener, TableEnd, TableRecord
from streams.engine.outbox import Outgoing
from streams.engine.runtime import Worker
from tests.fakes import message

INBOX = Inbox("in", 0)
OTHER = Inbox("in", 1)


class Forward:
    """Sends on what it gets."""

    name = "forward"

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        out.send("out", message.key, message.value)


class Restless:
    """A session whose partition goes away and comes back within one poll, after messages of it were fetched."""

    transaction_seconds = 10.0

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.resumed: list[Inbox] = []
        self.sent: list[Outgoing] = []
        self.rounds = 0

    def poll(self, limit: int, timeout: float) -> list[Message]:
        assert self.listener is not None
        self.rounds += 1
        if self.rounds == 1:
            self.listener.assigned([INBOX, OTHER])
            return []
        if self.rounds == 2:
            found = [message(b"mine no more", topic="in", offset=5), message(b"mine", topic="in", partition=1, offset=5)]
            self.listener.revoked([INBOX])
            self.listener.assigned([INBOX])
            return found
        return []

    def listen(self, listener: Listener) -> None:
        self.listener = listener

    def resume(self, partition: Inbox) -> None:
        self.resumed.append(partition)

    def pause(self, partition: Inbox) -> None: ...

    def begin(self) -> None: ...

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        self.sent += outgoing

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None: ...

    def note(self, partition: Inbox) -> str:
        return ""

    def send_offsets(self, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str] = NO_NOTES) -> None: ...

    def commit(self) -> Mapping[Inbox, int]:
        return {}

    def abort(self) -> None: ...

    def rewind(self) -> None: ...

    def table_end(self, partition: int) -> TableEnd:
        raise NotImplementedError

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        raise NotImplementedError

    def close(self) -> None: ...


def test_what_was_fetched_before_a_partition_went_away_is_dropped_although_it_came_back() -> None:
    session = Restless()
    worker = Worker(Forward(), session, None)
    worker.step(0)
    worker.step(0)
    assert session.resumed == [INBOX, OTHER]
    worker.step(0)
    assert [item.value for item in session.sent] == [b"mine"]
    assert session.resumed == [INBOX, OTHER, INBOX]  # again from the committed offset
