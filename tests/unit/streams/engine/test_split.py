from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Codec, UnknownVersionError
from streams.app.summary import Tables
from streams.engine import split
from streams.engine.contract import ENGINE, Message, Outbox, Store
from streams.engine.overlay import Overlay, StoreError
from streams.engine.own_rows import OwnRows
from streams.engine.split import MAGIC, PART_BYTES, PARTS
from streams.engine.store import Sync
from tables.rocks import RocksStore, StoreOptions
from tests.fakes import MemoryStore
from tests.unit.streams.engine.test_runtime import Counter, Plant

SMALL = 16


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "PART_BYTES", SMALL)


keys = st.binary(max_size=2)
values = st.one_of(st.none(), st.binary(max_size=5 * SMALL), st.binary(max_size=4).map(MAGIC.__add__))
batches = st.lists(st.lists(st.tuples(keys, values, st.sampled_from(["", "", "undo"])), max_size=6), max_size=5)


@given(batches)
def test_rows_of_any_size_are_read_as_they_were_written_and_leave_nothing_behind(
    script: list[list[tuple[bytes, bytes | None, str]]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "PART_BYTES", SMALL)
        below, expected = MemoryStore(), dict[bytes, bytes]()
        own = OwnRows(below)
        for batch in script:
            overlay = Overlay(below)
            for key, value, fate in batch:
                overlay.mark()
                overlay.put(key, value)
                if fate:
                    overlay.undo()
                elif value is None:
                    expected.pop(key, None)
                else:
                    expected[key] = value
            rows = overlay.stored(own.split)
            assert all(len(value) <= SMALL + len(MAGIC) for value in rows.values() if value is not None)
            for key, stored in rows.items():
                below.rows.pop(key, None)
                if stored is not None:
                    below.rows[key] = stored
            own.committed(rows)
            assert own.split == OwnRows(below).split
        fresh = Overlay(below)
        assert list(fresh.scan(b"")) == sorted(expected.items())
        assert fresh.get_many(list(expected)) == list(expected.values())
        assert [Overlay(below).get(key) for key in expected] == list(expected.values())
        large = {key for key, value in expected.items() if len(value) > SMALL or value.startswith(MAGIC)}
        assert own.split.keys() == large
        assert len([key for key in below.rows if key.startswith(PARTS)]) == sum(own.split.values())


def test_a_row_up_to_the_limit_is_stored_as_it_is() -> None:
    overlay = Overlay(MemoryStore())
    overlay.put(b"a", b"x" * PART_BYTES)
    overlay.put(b"b", b"x" * (PART_BYTES + 1))
    rows = overlay.stored({})
    assert rows[b"a"] == b"x" * PART_BYTES
    assert sorted(len(value or b"") for value in rows.values())[-2:] == [PART_BYTES, PART_BYTES]
    assert len(rows) == 5


@pytest.mark.usefixtures("small_parts")
def test_scans_show_neither_parts_nor_other_rows_of_the_engine() -> None:
    below = MemoryStore({b"\x00before": b"1", ENGINE + b"due/x": b"1", b"\x00f": b"1", b"z": b"1"})
    overlay = Overlay(below)
    overlay.put(b"a", b"x" * 40)
    below.rows |= {key: value for key, value in overlay.stored({}).items() if value is not None}
    for prefix in (b"", b"\x00", b"\x00e"):
        shown = [key for key, _ in Overlay(below).scan(prefix)]
        assert shown == [key for key in (b"\x00before", b"\x00f", b"a", b"z") if key.startswith(prefix)]
    assert [key for key, _ in Overlay(below).scan(ENGINE + b"due/")] == [ENGINE + b"due/x"]


@pytest.mark.usefixtures("small_parts")
def test_a_row_that_lacks_a_part_is_a_damaged_store() -> None:
    overlay = Overlay(MemoryStore())
    overlay.put(b"a", b"x" * 40)
    below = MemoryStore({key: value for key, value in overlay.stored({}).items() if value is not None})
    part = next(key for key in below.rows if key.startswith(PARTS))
    del below.rows[part]
    with pytest.raises(StoreError):
        Overlay(below).get(b"a")
    with pytest.raises(StoreError):
        Overlay(below).get_many([b"a"])
    with pytest.raises(StoreError):
        list(Overlay(below).scan(b"a"))


def test_an_older_release_takes_a_row_in_parts_for_one_of_a_newer_version() -> None:
    overlay = Overlay(MemoryStore())
    overlay.put(b"a", b"\x01" + b"x" * PART_BYTES)
    head = overlay.stored({})[b"a"]
    assert head is not None
    rows: Codec[int] = Codec(int)
    with pytest.raises(UnknownVersionError):
        rows.decode(head)


def test_queries_that_open_stores_see_whole_rows(tmp_path: Path) -> None:
    value = bytes(range(256)) * 10_000
    overlay = Overlay(MemoryStore())
    overlay.put(b"r/large", value)
    overlay.put(b"r/small", b"1")
    store = RocksStore(tmp_path / "records" / "0", StoreOptions.bounded(1 << 20))
    store.apply(overlay.stored({}), Sync("id", 1, 1))
    store.close()
    with Tables(tmp_path) as tables:
        (found,) = tables.partitions("records")
        assert found.get(b"r/large") == value
        assert list(found.scan(b"r/")) == [(b"r/large", value), (b"r/small", b"1")]


def test_a_row_of_many_megabytes_goes_through_the_log_and_comes_back(tmp_path: Path) -> None:
    class Swells(Counter):
        """Its row is as many megabytes as the message says."""

        def process(self, message: Message, store: Store, out: Outbox) -> None:
            assert message.key is not None
            assert message.value is not None
            before = store.get(message.key) or b""
            store.put(message.key, b"x" * (int(message.value) << 20))
            out.send("out", message.key, b"%d" % (len(before) >> 20))

    plant = Plant(tmp_path / "log.db")
    for megabytes in (b"25", b"3", b"0"):
        plant.feed([(b"a", megabytes)])
        plant.drain(plant.worker(Swells()))
        plant.disk.rows.clear()
        plant.disk.syncs.clear()
    assert [sizes for _, sizes in plant.sent()] == [b"0", b"25", b"3"]
    plant.drain(plant.worker(Swells()))
    assert plant.state() == plant.table() == {b"a": b""}
    assert not [key for rows in plant.disk.rows.values() for key in rows if key.startswith(ENGINE)]
