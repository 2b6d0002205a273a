from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from streams.engine.log import TableEnd, TableRecord
from streams.engine.store import LostTableError, Restore, Sync
from tests.fakes import MemoryStore

DAY_MS = 24 * 3_600_000
NOW_MS = 1_700_000_000_000
ROWS = [TableRecord(offset, b"k%d" % offset, b"v") for offset in range(4)]

WHOLE = TableEnd("id", 0, 5)
CUT = TableEnd("id", 2, 5, "a.counter-table")
EMPTY = TableEnd("id", 0, 0, "a.counter-table", consumed=True)


class Table:
    """A session's table topic: four records, and a marker behind them."""

    def __init__(self, end: TableEnd = WHOLE) -> None:
        self._end = end

    def table_end(self, partition: int) -> TableEnd:
        return self._end

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


def restore(shelf: Shelf, day: float, end: TableEnd = WHOLE) -> Restore:
    now_ms = NOW_MS + int(day * DAY_MS)
    return Restore(Table(end), shelf, 0, max_age_ms=3 * DAY_MS, now_ms=now_ms)


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


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (CUT, "a.counter-table/0 begins at offset 2, not 0: records before it were deleted"),
        (EMPTY, "a.counter-table/0 is empty, though messages of its inbox were consumed"),
    ],
)
@pytest.mark.parametrize(
    "sync", [None, Sync("another", 5, NOW_MS), Sync("id", 1, NOW_MS), Sync("id", 5, NOW_MS - 30 * DAY_MS)]
)
def test_a_table_that_lost_records_is_no_fresh_start_and_a_store_stays(end: TableEnd, said: str, sync: Sync | None) -> None:
    shelf = Shelf()
    shelf.store.rows[b"kept"] = b"v"
    shelf.store.sync = sync
    before = shelf.store
    with pytest.raises(LostTableError, match=re.escape(said)):
        restore(shelf, day=0, end=end)
    assert shelf.store is before


def test_a_store_that_has_all_a_table_lost_is_used() -> None:
    shelf = Shelf()
    shelf.store.sync = Sync("id", 3, NOW_MS)
    begun = restore(shelf, day=0, end=CUT)
    assert (begun.rebuilt_because, begun.lost) == ("", "begins at offset 2, not 0: records before it were deleted")
    finish(begun)
    assert shelf.store.rows == {b"k3": b"v"}


def test_an_empty_table_before_the_first_message_is_a_beginning() -> None:
    begun = restore(Shelf(), day=0, end=TableEnd("id", 0, 0))
    assert (begun.lost, begun.bare) == ("", True)
