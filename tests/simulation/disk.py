"""Disks in memory: stores that keep what was applied, or come back at an earlier point after a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random

import msgspec

from streams.engine.store import Sync
from tests.fakes import MemoryStore

Applied = tuple[dict[bytes, bytes | None], Sync]


class Files(msgspec.Struct):
    """One partition's files: what is flushed, and what was applied since."""

    rows: dict[bytes, bytes] = {}
    sync: Sync | None = None
    recent: list[Applied] = []

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        self.recent.append((dict(rows), sync))

    def flush(self, count: int) -> None:
        """Makes the oldest `count` of the recent writes last; the others are lost."""
        for rows, sync in self.recent[:count]:
            _write(self.rows, rows)
            self.sync = sync
        self.recent = []


class Disk:
    """The stores of one instance. A crash may lose what was applied last, as a store without a write-ahead log does."""

    def __init__(self, point: Callable[[str], None] = lambda where: None) -> None:
        self.point = point
        self.rebuilt = 0
        self._files: dict[int, Files] = {}
        self._open: set[int] = set()

    def open(self, partition: int) -> DiskStore:
        assert partition not in self._open, f"store {partition} is opened twice"
        self._open.add(partition)
        return DiskStore(self, self._files.setdefault(partition, Files()), partition)

    def rebuild(self, partition: int) -> DiskStore:
        assert partition not in self._open, f"store {partition} is rebuilt while it is open"
        self.rebuilt += 1
        self._files[partition] = Files()
        return self.open(partition)

    def close(self, partition: int) -> None:
        files = self._files[partition]
        files.flush(len(files.recent))
        self._open.remove(partition)

    def crash(self, random: Random, *, lose: bool) -> bool:
        """The process is gone. Returns whether something applied is lost."""
        lost = False
        for files in self._files.values():
            kept = random.randrange(len(files.recent) + 1) if lose else len(files.recent)
            lost = lost or kept < len(files.recent)
            files.flush(kept)
        self._open.clear()
        return lost

    def rows(self, partition: int) -> dict[bytes, bytes]:
        """What an open or closed store holds now."""
        files = self._files[partition]
        rows = dict(files.rows)
        for recent, _ in files.recent:
            _write(rows, recent)
        return rows

    # -- what happens to disks --

    def copy(self) -> dict[int, Files]:
        """A backup, as it would come back."""
        return deepcopy(self._files)

    def replace(self, files: Mapping[int, Files]) -> None:
        """Whatever was here is gone, these are here instead."""
        self._files = deepcopy(dict(files))
        for each in self._files.values():
            each.flush(len(each.recent))

    def spoil(self, change: Callable[[Sync], Sync]) -> bool:
        """Every store says another sync point, and holds a row it should not. False if there is none."""
        spoilt = False
        for files in self._files.values():
            if files.sync is not None:
                files.sync = change(files.sync)
                files.rows[b"ghost"] = b"\xff"
                files.rows = {key: value + b"!" for key, value in files.rows.items()}
                spoilt = True
        return spoilt


class DiskStore:
    """A `PartitionStore` on a `Disk`."""

    def __init__(self, disk: Disk, files: Files, partition: int) -> None:
        self._disk = disk
        self._files = files
        self._partition = partition
        self._rows = MemoryStore(disk.rows(partition))
        self._sync = files.sync

    @property
    def sync(self) -> Sync | None:
        return self._sync

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self._disk.point("read")
        return self._rows.get_many(keys)

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self._rows.scan(prefix, after)

    def apply(self, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        self._disk.point("apply")
        self._files.apply(rows, sync)
        _write(self._rows.rows, rows)
        self._sync = sync

    def close(self) -> None:
        self._disk.close(self._partition)


def _write(rows: dict[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
