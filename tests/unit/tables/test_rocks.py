from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.engine.store import Sync
from tables.rocks import ASIDE, ASIDE_SECONDS, RocksStore, RocksStores, StoreInUseError, StoreOptions

ROWS: dict[bytes, bytes | None] = {b"row%05d" % number: os.urandom(100) for number in range(2_000)}
PATIENCE = 30.0
SYNC = Sync("topic", 7, 1_700_000_000_000)


@pytest.fixture
def stores(tmp_path: Path) -> RocksStores:
    return RocksStores(tmp_path / "stores", StoreOptions.bounded(1 << 20, 1 << 20))


def filled(stores: RocksStores) -> None:
    store = stores.open(0)
    store.apply(ROWS, SYNC)
    store.close()


def rows(store: RocksStore) -> dict[bytes, bytes]:
    return dict(store.scan(b""))


def test_a_store_closed_in_order_comes_back_with_its_rows_and_its_sync(stores: RocksStores) -> None:
    filled(stores)
    store = stores.open(0)
    assert store.sync == SYNC
    assert rows(store) == ROWS
    store.close()


def test_a_store_that_was_not_closed_comes_back_at_an_earlier_consistent_point(stores: RocksStores, tmp_path: Path) -> None:
    filled(stores)
    store = stores.open(0)
    store.apply({b"later": b"1"}, Sync("topic", 8, 0))
    copy = tmp_path / "copy"
    _copy_as_after_a_kill(tmp_path / "stores" / "0", copy / "0")
    found = RocksStores(copy, StoreOptions.bounded(1 << 20)).open(0)
    assert (found.sync, found.get(b"later")) == (SYNC, None)
    found.close()
    store.close()


def _copy_as_after_a_kill(source: Path, target: Path) -> None:
    """The files as they are now; what is in memory is not in them."""
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def empty_manifest(folder: Path) -> None:
    for file in folder.glob("MANIFEST-*"):
        file.write_bytes(b"")


def no_current(folder: Path) -> None:
    (folder / "CURRENT").write_bytes(b"nonsense\n")


def missing_rows(folder: Path) -> None:
    for file in folder.glob("*.sst"):
        file.unlink()


def zeroed_rows(folder: Path) -> None:
    for file in folder.glob("*.sst"):
        file.write_bytes(bytes(1_000) + file.read_bytes()[1_000:-1_000] + bytes(1_000))


def cut_rows(folder: Path) -> None:
    for file in folder.glob("*.sst"):
        file.write_bytes(file.read_bytes()[:-100])


def damaged_sync(folder: Path) -> None:
    """The block that holds the last row, which the sync is."""
    for file in folder.glob("*.sst"):
        content = bytearray(file.read_bytes())
        last = content.rindex(b"sync")
        content[last - 64 : last] = bytes(64)
        file.write_bytes(content)


@pytest.mark.parametrize("damage", [empty_manifest, no_current, missing_rows, zeroed_rows, cut_rows, damaged_sync])
def test_a_store_that_cannot_be_opened_is_set_aside_and_comes_back_empty(
    stores: RocksStores, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    filled(stores)
    damage(tmp_path / "stores" / "0")
    store = stores.open(0)
    assert store.sync is None
    assert rows(store) == {}
    store.close()
    assert (tmp_path / "stores" / ("0" + ASIDE)).is_dir()


def test_a_changed_byte_among_the_rows_is_an_error_when_they_are_read(stores: RocksStores, tmp_path: Path) -> None:
    filled(stores)
    for file in (tmp_path / "stores" / "0").glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[len(content) // 3] ^= 0xFF
        file.write_bytes(content)
    store = stores.open(0)
    with pytest.raises(Exception, match=r"(?i)corruption"):
        rows(store)
    store.close()
    fresh = stores.rebuild(0)
    assert rows(fresh) == {}
    fresh.close()


def test_a_store_another_process_has_open_is_left_alone(stores: RocksStores, tmp_path: Path) -> None:
    store = stores.open(0)
    with pytest.raises(StoreInUseError, match="another data folder"):
        stores.open(0)
    store.close()
    assert not (tmp_path / "stores" / ("0" + ASIDE)).exists()


def test_only_the_last_store_set_aside_is_kept_and_not_for_ever(stores: RocksStores, tmp_path: Path) -> None:
    filled(stores)
    stores.rebuild(0).close()
    filled(stores)
    stores.rebuild(0).close()
    assert sorted(path.name for path in (tmp_path / "stores").iterdir()) == ["0", "0" + ASIDE]
    old = time.time() - ASIDE_SECONDS - 60
    os.utime(tmp_path / "stores" / ("0" + ASIDE), (old, old))
    stores.open(0).close()
    assert (tmp_path / "stores" / ("0" + ASIDE)).exists()  # nothing has taken its place: it may be the only copy
    filled(stores)
    stores.open(0).close()
    assert sorted(path.name for path in (tmp_path / "stores").iterdir()) == ["0"]


def test_stores_share_their_write_buffers(tmp_path: Path) -> None:
    options = StoreOptions.bounded(1 << 20, 4 << 20)
    stores = RocksStores(tmp_path, options)
    opened = [stores.open(partition) for partition in range(4)]
    for number in range(100):
        for store in opened:
            store.apply({b"%d-%d" % (number, row): os.urandom(1_000) for row in range(50)}, SYNC)
    # Of 20 MB written; each alone would keep all of its 5, for good. What is full is written to disk in the background.
    deadline = time.monotonic() + PATIENCE
    while options.buffers.get_usage() >= 16 << 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert options.buffers.get_usage() > 0
    for store in opened:
        store.close()
