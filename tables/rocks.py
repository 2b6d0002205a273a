"""The store of one partition on disk: RocksDB, always at or behind the committed log."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteOptions,
)

from streams.engine.store import Sync

log = logging.getLogger(__name__)

SYNC_KEY = b"\xff\xffsync"
"""Row that says which point of the table topic the store reflects. Written in the same batch as the rows."""

BLOCK_CACHE_BYTES = 64 << 20
"""Shared by all stores of a process: RocksDB's own default is per store, and large."""

WRITE_BUFFER_BYTES = 16 << 20


class StoreOptions(NamedTuple):
    """Memory shared by the stores of one process."""

    cache: Cache

    @classmethod
    def bounded(cls, block_cache_bytes: int = BLOCK_CACHE_BYTES) -> StoreOptions:
        return cls(Cache.new_hyper_clock_cache(block_cache_bytes, 0) if block_cache_bytes else Cache(0))


class RocksStore:
    """Committed rows of one partition of one processor.

    The write-ahead log is off: after a crash RocksDB comes back at an earlier, consistent point (rows and `Sync` are one
    atomic batch), and the rest is read again from the table topic.
    """

    def __init__(self, path: Path, options: StoreOptions, *, read_only: bool = False) -> None:
        self._path = path
        blocks = BlockBasedOptions()
        blocks.set_block_cache(options.cache)
        blocks.set_bloom_filter(10, False)
        blocks.set_cache_index_and_filter_blocks(True)
        opts = Options(raw_mode=True)
        opts.create_if_missing(not read_only)
        opts.set_block_based_table_factory(blocks)
        opts.set_write_buffer_size(WRITE_BUFFER_BYTES)
        opts.set_max_write_buffer_number(3)
        opts.set_keep_log_file_num(2)
        if not read_only:
            path.mkdir(parents=True, exist_ok=True)
        access = AccessType.read_only() if read_only else AccessType.read_write()
        self._db = Rdict(str(path), opts, access_type=access)
        self._write_options = WriteOptions()
        self._write_options.disable_wal = True  # type: ignore[method-assign, assignment]  # a property; the stub says method
        found = self._db.get(SYNC_KEY)
        self.sync: Sync | None = msgspec.msgpack.decode(found, type=Sync) if found else None

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
        rows: Any = self._db.items(from_key=after or prefix, read_opt=bounds)
        for key, value in rows:
            if key not in {after, SYNC_KEY}:
                yield key, value

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        """Step 6 of the commit protocol: the rows and the point they reflect, in one atomic batch."""
        batch = WriteBatch(raw_mode=True)
        for key, value in rows.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(SYNC_KEY, msgspec.msgpack.encode(sync))
        self._db.write(batch, self._write_options)
        self.sync = sync

    def close(self) -> None:
        """Flushes what is in memory, so that the next start has little to read again."""
        self._db.flush()
        self._db.close()

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
        try:
            return RocksStore(self._path(partition), self._options)
        except Exception as error:
            if "lock" in str(error).lower():
                raise StoreInUseError(
                    f"the store {self._path(partition)} is in use by another process: stop it, or use another data folder"
                ) from error
            log.warning("store %s cannot be opened and is rebuilt: %s", self._path(partition), error)
            return self.rebuild(partition)

    def rebuild(self, partition: int) -> RocksStore:
        shutil.rmtree(self._path(partition), ignore_errors=False)
        return RocksStore(self._path(partition), self._options)

    def _path(self, partition: int) -> Path:
        return self._folder / str(partition)


class StoreInUseError(Exception):
    """Two processes want one store."""


def _successor(prefix: bytes) -> bytes | None:
    """The smallest key greater than every key with this prefix; None if there is none."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None
