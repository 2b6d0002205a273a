"""What an embedded data folder holds, counted from the log and the stores themselves: a crash cannot make it wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.logs.embedded import EmbeddedLog
from schemas.topics import CUSTOMER_CHANGES, DEAD_LETTERS
from streams.app.console import WorkError
from streams.customers import rows as customer_rows
from streams.engine.contract import Store
from streams.engine.dead_letters import reason_of
from streams.engine.overlay import Overlay
from streams.identity.rows import REALM, Keys
from streams.records import RECORD_ROWS, TALLIES, TALLY_KEY, Tally, row_key
from tables.rocks import RocksStore, StoreOptions


class Summary(NamedTuple):
    """Counts over the life of a data folder."""

    events: int  # source events consumed
    records: int  # source records that exist
    customers: int  # ids that have members
    merges: int
    splits: int
    notifications: int  # change events published
    stale: int  # events that said nothing new
    dead_letters: dict[str, int]  # by reason


class Tables:
    """The stores of an embedded data folder, for reading."""

    def __init__(self, stores: Path) -> None:
        self._stores = stores
        self._options = StoreOptions.bounded(8 << 20)
        self._open: dict[Path, RocksStore] = {}

    def partitions(self, processor: str) -> Iterator[Store]:
        folder = self._stores / processor
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            yield Overlay(self._store(path))

    def _store(self, path: Path) -> RocksStore:
        store = self._open.get(path)
        if store is None:
            try:
                store = self._open[path] = RocksStore(path, self._options, read_only=True)
            except Exception as error:
                raise WorkError(
                    f"the store {path} cannot be read ({error}): the pipeline rebuilds it when it runs"
                ) from error
        return store

    def close(self) -> None:
        for store in self._open.values():
            store.release()
        self._open.clear()

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def summarise(log: EmbeddedLog, tables: Tables, sources: list[str], realms: list[str]) -> Summary:
    """Counts a data folder whose pipeline is at rest and closed."""
    tally = _records_tally(tables)
    customers = merges = splits = 0
    for store in tables.partitions("identity"):
        for realm in realms:
            found = store.get(Keys(realm).realm)
            if found:
                row = REALM.decode(found)
                customers, merges, splits = customers + row.customers, merges + row.merges, splits + row.splits
    return Summary(
        events=sum(log.offset("intake", log.topic(topic), 0) for topic in sources),
        records=tally.records,
        customers=customers,
        merges=merges,
        splits=splits,
        notifications=log.end(CUSTOMER_CHANGES, 0),
        stale=tally.stale,
        dead_letters=dict(sorted(Counter(reason_of(m.headers) for m in log.messages(DEAD_LETTERS)).items())),
    )


def _records_tally(tables: Tables) -> Tally:
    total = Tally()
    for store in tables.partitions("records"):
        found = store.get(TALLY_KEY)
        if found:
            tally = TALLIES.decode(found)
            total.records += tally.records
            total.events += tally.events
            total.stale += tally.stale
    return total


class Waiting(NamedTuple):
    """What waits for an answer of another processor."""

    unsettled_customers: int
    records_without_customer: int
    lasting_customers: int  # those of them that have asked already
    lasting_records: int


def waiting(tables: Tables) -> Waiting:
    """Counted as the processors count: in passing while events flow, and for good only where something went wrong."""
    records = [TALLIES.decode(row) for store in tables.partitions("records") if (row := store.get(TALLY_KEY))]
    customers = [
        customer_rows.TALLIES.decode(row)
        for store in tables.partitions("customers")
        if (row := store.get(customer_rows.TALLY_KEY))
    ]
    return Waiting(
        sum(tally.unsettled for tally in customers),
        sum(tally.without_customer for tally in records),
        sum(tally.asking for tally in customers),
        sum(tally.asking for tally in records),
    )


def memberships(tables: Tables) -> dict[str, str]:
    """Customer id of every source record that has one, as `records` knows it."""
    found = {}
    prefix = row_key("")
    for store in tables.partitions("records"):
        for key, value in store.scan(prefix):
            customer = RECORD_ROWS.decode(value).customer
            if customer is not None:
                found[key[len(prefix) :].decode()] = customer
    return found
