from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.engine.log import TableEnd, TableRecord
from streams.engine.store import Restore, Sync
from tests.fakes import MemoryStore

DAY_MS = 24 * 3_600_000
NOW_MS = 1_700_000_000_000
ROWS = [TableRecord(offset, b"k%d" % offset, b"v") for offset in range(4)]


class Table:
    """A session's table topic: four records, and a marker behind them."""

    def table_end(self, partition: int) -> TableEnd:
        return TableEnd("id", 0, 5)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        for record in ROWS[start:]:
            yield [record]


class Store(MemoryStore):
    """A store in memory, with its sync point."""

    sync: Sync | None = None

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        for key, value in rows.items():
            assert value is not None
            self.put(key, value)
        self.sync = sync

    def close(self) -> None: ...


class Shelf:
    """One store, that can be set aside."""

    def __init__(self) -> None:
        self.store = Store()

    def open(self, partition: int) -> Store:
        return self.store

    def rebuild(self, partition: int) -> Store:
        self.store = Store()
        return self.store


def restore(shelf: Shelf, day: float) -> Restore:
    now_ms = NOW_MS + int(day * DAY_MS)
    return Restore(Table(), shelf, 0, max_age_ms=3 * DAY_MS, now_ms=now_ms)


def finish(begun: Restore) -> None:
    while begun.advance():
        pass


def test_a_restored_store_holds_every_row_and_goes_on_from_there() -> None:
    shelf = Shelf()
    finish(restore(shelf, day=0))
    assert shelf.store.rows == {record.key: record.value for record in ROWS}
    assert restore(shelf, day=1).progress.total == 1  # the marker


def test_a_store_that_was_only_ever_restored_is_too_old_one_day_as_well() -> None:
    shelf = Shelf()
    finish(restore(shelf, day=0))
    assert restore(shelf, day=2.9).rebuilt_because == ""
    assert restore(shelf, day=3.1).rebuilt_because == "it is older than the topic keeps tombstones"


def test_a_restore_makes_an_old_store_young_when_it_is_complete_and_not_before() -> None:
    shelf = Shelf()
    restore(shelf, day=0).advance()
    half = restore(shelf, day=2)
    half.advance()
    assert restore(shelf, day=3.1).rebuilt_because
    shelf = Shelf()
    restore(shelf, day=0).advance()
    finish(restore(shelf, day=2))
    assert not restore(shelf, day=3.1).rebuilt_because
