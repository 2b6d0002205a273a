"""The store of one partition on disk: RocksDB, always at or behind the committed log."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from streams.engine.private import private_folder
from streams.engine.store import Sync

log = logging.getLogger(__name__)

SYNC_KEY = b"\xff\xffsync"
"""Row that says which point of the table topic the store reflects. Written in the same batch as the rows."""

BLOCK_CACHE_BYTES = 128 << 20
"""Shared by all stores of a process: RocksDB's own default is per store, and large. Indexes are in it too."""

BLOCK_BYTES = 8 << 10
"""A row is a kilobyte or two: with RocksDB's 4 KB, the index of a few gigabytes would fill the cache by itself."""

WRITE_BUFFER_BYTES = 16 << 20
"""Rows of one store in memory before they are written out. What is lost in a crash is read again from the table topic."""

WRITE_BUFFERS_BYTES = 64 << 20
"""The same for all stores of a process together: beyond it the oldest are written out early."""

ASIDE = ".aside"
"""Ending of the folder of a store that was set aside: for an operator to look at, should its topic have been deleted."""

ASIDE_SECONDS = 7 * 24 * 3_600
"""It may hold customers that were erased since, so it goes at the first start after this time, if another took its place."""

LOCKED = "/LOCK: "
"""In what RocksDB says when somebody has the store open (a damaged one may speak of a `block`)."""

OPEN_FILES = 256
"""Of one store: RocksDB would keep every file open."""


class StoreOptions(NamedTuple):
    """Memory shared by the stores of one process: at most the block cache and the write buffers, but for small change."""

    cache: Cache
    buffers: WriteBufferManager

    @classmethod
    def bounded(
        cls, block_cache_bytes: int = BLOCK_CACHE_BYTES, write_buffers_bytes: int = WRITE_BUFFERS_BYTES
    ) -> StoreOptions:
        cache = Cache.new_hyper_clock_cache(block_cache_bytes, 0) if block_cache_bytes else Cache(0)
        # What the buffers use is not charged to the cache: a busy restore must not empty it.
        uncharged = Cache(0)
        return cls(cache, WriteBufferManager.new_write_buffer_manager_with_cache(write_buffers_bytes, False, uncharged))


class RocksStore:
    """Committed rows of one partition of one processor.

    The write-ahead log is off: after a crash RocksDB comes back at an earlier, consistent point (rows and `Sync` are one
    atomic batch), and the rest is read again from the table topic.
    """

    def __init__(self, path: Path, options: StoreOptions, *, read_only: bool = False) -> None:
        self._path = path
        blocks = BlockBasedOptions()
        blocks.set_block_cache(options.cache)
        blocks.set_block_size(BLOCK_BYTES)
        blocks.set_bloom_filter(10, False)
        blocks.set_cache_index_and_filter_blocks(True)
        # In small parts: a large file's whole index does not fit a shard of the cache, and would be read for every row.
        blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
        blocks.set_partition_filters(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        opts = Options(raw_mode=True)
        opts.set_compression_type(DBCompressionType.none())  # decision 0011
        opts.create_if_missing(not read_only)
        opts.set_block_based_table_factory(blocks)
        opts.set_write_buffer_size(WRITE_BUFFER_BYTES)
        opts.set_max_write_buffer_number(3)
        opts.set_write_buffer_manager(options.buffers)
        opts.set_max_open_files(OPEN_FILES)
        opts.set_paranoid_checks(True)
        opts.set_keep_log_file_num(2)
        if not read_only:
            private_folder(path)
        access = AccessType.read_only() if read_only else AccessType.read_write()
        self._db = Rdict(str(path), opts, access_type=access)
        self._write_options = WriteOptions()
        self._write_options.disable_wal = True  # type: ignore[method-assign, assignment]  # a property; the stub says method
        try:
            found = self._db.get(SYNC_KEY)
            self.sync: Sync | None = msgspec.msgpack.decode(found, type=Sync) if found else None
        except BaseException:
            self._db.close()  # or it keeps its lock, and nothing can take its place
            raise

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(key)
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        values: Any = self._db.get(list(keys))
        found: list[bytes | None] = values
        return found

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        bounds = ReadOptions()
        end = _successor(prefix)
        if end is not None:
            bounds.set_iterate_upper_bound(end)
        rows = self._db.iter(read_opt=bounds)
        rows.seek(after or prefix)
        while rows.valid():
            key: Any = rows.key()
            value: Any = rows.value()
            if key not in {after, SYNC_KEY}:
                yield key, value
            rows.next()
        rows.status()  # the end may be a damaged block: `items()` would not tell

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        """Step 6 of the commit protocol: the rows and the point they reflect, in one atomic batch."""
        batch = WriteBatch(raw_mode=True)
        for key in sorted(rows):  # a sorted batch goes into RocksDB's memory twice as fast
            value = rows[key]
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(SYNC_KEY, msgspec.msgpack.encode(sync))
        self._db.write(batch, self._write_options)
        self.sync = sync

    def close(self) -> None:
        """Flushes what is in memory, so that the next start has little to read again."""
        try:
            self._db.flush()
        finally:
            self._db.close()  # lets go of the lock in any case

    def release(self) -> None:
        """Closes a store that was only read."""
        self._db.close()


class RocksStores:
    """The stores of one processor: a folder each, named by the partition."""

    def __init__(self, folder: Path, options: StoreOptions) -> None:
        self._folder = folder
        self._options = options

    def open(self, partition: int) -> RocksStore:
        """Opens what is on disk; what cannot be opened is set aside and rebuilt, never repaired."""
        path = self._path(partition)
        try:
            store = RocksStore(path, self._options)
        except Exception as error:
            if LOCKED in str(error):
                raise StoreInUseError(
                    f"the store {path} is in use by another process: stop it, or use another data folder"
                ) from error
            log.warning("store %s cannot be opened and is rebuilt: %s", path, error)
            return self.rebuild(partition)
        if store.sync is not None:  # else what was set aside may be the only copy there is
            _forget_old(_aside(path))
        return store

    def rebuild(self, partition: int) -> RocksStore:
        """Moves what is on disk aside, beside it, in place of what was set aside before; opens an empty store."""
        path = self._path(partition)
        aside = _aside(path)
        if aside.exists():
            shutil.rmtree(aside)
        if path.exists():
            path.rename(aside)
            aside.touch()
        return RocksStore(path, self._options)

    def _path(self, partition: int) -> Path:
        return self._folder / str(partition)


class StoreInUseError(Exception):
    """Two processes want one store."""


def _aside(path: Path) -> Path:
    return path.with_name(path.name + ASIDE)


def _forget_old(aside: Path) -> None:
    if aside.exists() and time.time() - aside.stat().st_mtime > ASIDE_SECONDS:
        shutil.rmtree(aside)


def _successor(prefix: bytes) -> bytes | None:
    """The smallest key greater than every key with this prefix; None if there is none."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None
