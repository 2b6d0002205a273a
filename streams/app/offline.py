"""`records` and `identity` as in the pipeline, over stores in a folder, without a log: a start that fails begins anew."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.canonical import realm_of
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import SourceChange
from schemas.topics import IDENTITY, RECORDS
from streams.engine.contract import Message, Processor, RejectedError
from streams.engine.outbox import BatchOutbox, Outgoing
from streams.engine.overlay import Overlay, StoreError
from streams.engine.store import Sync
from streams.identity.factory import identity_processor
from streams.identity.rows import REALM, Keys
from streams.records import RECORD_ROWS, TALLIES, TALLY_KEY, Records, Tally, row_key
from tables.rocks import RocksStore, StoreOptions

log = logging.getLogger(__name__)

BATCH = 2_000
"""Messages at a time: as many as a transaction of the pipeline takes. Bounds the memory of a batch."""

NO_SECRET = b"singleview resolve"
"""Keys the customer ids, and match keys in stores that are deleted. No secret: the same files give the same ids."""


class Counts(NamedTuple):
    """What the stores hold."""

    records: int
    customers: int
    merges: int
    splits: int
    stale: int  # changes that said nothing new


class _Stage:
    """One processor and its store, a batch at a time, as the engine's runtime does it."""

    def __init__(self, topic: str, processor: Processor, path: Path, options: StoreOptions) -> None:
        self.store = RocksStore(path, options)
        self._topic = topic
        self._processor = processor
        self._done = 0
        self.failures: Counter[str] = Counter()

    def run(self, batch: Sequence[Outgoing]) -> Iterator[Outgoing]:
        """What the batch leads to. A poisoned message is undone alone, and counted."""
        overlay, out = Overlay(self.store), BatchOutbox()
        messages = [
            Message(self._topic, 0, number, message.key, message.value, message.headers, 0)
            for number, message in enumerate(batch, self._done)
        ]
        self._processor.prepare(messages, overlay)
        for message in messages:
            overlay.mark()
            out.mark()
            try:
                self._processor.process(message, overlay, out)
            except StoreError:
                raise
            except Exception as error:
                overlay.undo()
                out.undo()
                # Only its type: the text of an unforeseen error may hold personal values.
                reason = error.reason if isinstance(error, RejectedError) else "processor-error"
                log.error("%s: %s: %s (%s)", self._processor.name, message.ref, reason, type(error).__name__)  # noqa: TRY400
                self.failures[reason] += 1
        self._done += len(batch)
        self.store.apply(overlay.writes, Sync("", self._done, 0))
        return out.outgoing()


class OfflineIdentity:
    """Takes changes of source records in, and says which customer each record belongs to. Close it."""

    def __init__(self, folder: Path, secret: bytes = NO_SECRET) -> None:
        options = StoreOptions.bounded()
        self._records = _Stage(RECORDS, Records(), folder / RECORDS, options)
        self._identity = _Stage(IDENTITY, identity_processor(secret), folder / IDENTITY, options)
        self._realms: set[str] = set()

    def feed(self, changes: Sequence[SourceChange]) -> None:
        """Applies at most a batch of changes, and all that they lead to: afterwards nothing is left to do."""
        self._realms.update(realm_of(change.record) for change in changes)
        waiting = {
            RECORDS: [Outgoing(RECORDS, change.record.encode(), RECORDS_CODEC.encode(change)) for change in changes],
            IDENTITY: [],
        }
        while any(waiting.values()):
            for stage, topic in ((self._records, RECORDS), (self._identity, IDENTITY)):
                batch, waiting[topic] = waiting[topic][:BATCH], waiting[topic][BATCH:]
                for message in stage.run(batch) if batch else ():
                    if message.topic in waiting:  # the others are for `customers` and stewards
                        waiting[message.topic].append(message)

    def memberships(self) -> Iterator[tuple[str, str]]:
        """Source record and customer id of every record that exists, in the order of records."""
        prefix = row_key("")
        for key, value in self._records.store.scan(prefix):
            customer = RECORD_ROWS.decode(value).customer
            if customer is not None:
                yield key.removeprefix(prefix).decode(), customer

    def counts(self) -> Counts:
        found = self._records.store.get(TALLY_KEY)
        tally = TALLIES.decode(found) if found else Tally()
        rows = [REALM.decode(row) for row in self._identity.store.get_many(self._realm_keys()) if row]
        return Counts(
            records=tally.records,
            customers=sum(row.customers for row in rows),
            merges=sum(row.merges for row in rows),
            splits=sum(row.splits for row in rows),
            stale=tally.stale,
        )

    @property
    def failures(self) -> Counter[str]:
        """Messages that a processor could not process, by reason."""
        return self._records.failures + self._identity.failures

    def _realm_keys(self) -> list[bytes]:
        return [Keys(realm).realm for realm in sorted(self._realms)]

    def close(self) -> None:
        self._records.store.release()
        self._identity.store.release()

    def __enter__(self) -> OfflineIdentity:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
