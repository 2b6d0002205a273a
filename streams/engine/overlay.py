"""The writes of a batch, kept over a store until the batch is committed."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Protocol

from streams.engine.contract import ENGINE
from streams.engine.split import MARK, PARTS, is_head, stored, whole


class Backing(Protocol):
    """What lies below an overlay: the committed rows of one partition. Read only."""

    def get(self, key: bytes) -> bytes | None: ...

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]: ...

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]: ...


class StoreError(Exception):
    """The store below failed: not the fault of the message that was being processed. It is rebuilt from its table topic."""


class BrokenStoreError(Exception):
    """A store that was just rebuilt failed again: something is wrong with the disk, and an operator must look at it."""


class NoBacking:
    """The backing of a processor without state."""

    def get(self, key: bytes) -> bytes | None:  # noqa: ARG002
        return None

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [None] * len(keys)

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:  # noqa: ARG002
        return iter(())


class _Unwritten(Enum):
    """Marks a row that was not written yet; None is one that was deleted."""

    UNWRITTEN = 0


_UNWRITTEN = _Unwritten.UNWRITTEN

FEW = 64
"""Keys are inserted one by one if they are fewer than one in this many: sorting looks at every key once."""


class Overlay:
    """A `Store` whose writes stay in memory. `mark` and `undo` take back what one message wrote.

    Rows read are remembered for the batch, so that what `prepare` prefetched is not read again.
    """

    __slots__ = ("_backing", "_journal", "_ordered", "_read", "_unordered", "_written")

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._read: dict[bytes, bytes | None] = {}
        self._written: dict[bytes, bytes | None] = {}
        self._journal: list[tuple[bytes, bytes | _Unwritten | None]] = []  # key, what was written there before
        self._ordered: list[bytes] | None = None  # written keys in order, as of the last scan; kept only once one came
        self._unordered: list[bytes] = []  # keys written since

    @property
    def writes(self) -> Mapping[bytes, bytes | None]:
        """The last value of every row written since the overlay was made; None is a deletion."""
        return self._written

    def stored(self, split: Mapping[bytes, int]) -> Mapping[bytes, bytes | None]:
        """The same as they are stored, large ones in parts. `split`: the rows below that are, and into how many."""
        return stored(self._written, split)

    def get(self, key: bytes) -> bytes | None:
        if key in self._written:
            return self._written[key]
        if key in self._read:
            return self._read[key]
        try:
            value = self._backing.get(key)
            if value is not None and value[:1] == MARK and is_head(value):
                value = whole(key, value, self._backing)
        except MemoryError:
            raise
        except Exception as error:
            raise StoreError("the store could not be read") from error
        self._read[key] = value
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.load(keys)
        return [self._written[key] if key in self._written else self._read[key] for key in keys]

    def load(self, keys: Iterable[bytes]) -> None:
        # In their order, as they lie in the store: neighbours are found together.
        unknown = sorted(set(keys).difference(self._written).difference(self._read))
        if unknown:
            try:
                values = self._backing.get_many(unknown)
                self._read.update(zip(unknown, values, strict=True))
                for key, value in zip(unknown, values, strict=True):
                    if value is not None and value[:1] == MARK and is_head(value):
                        self._read[key] = whole(key, value, self._backing)
            except MemoryError:
                raise
            except Exception as error:
                raise StoreError("the store could not be read") from error

    def put(self, key: bytes, value: bytes | None) -> None:
        before = self._written.get(key, _UNWRITTEN)
        self._journal.append((key, before))
        self._written[key] = value
        if before is _UNWRITTEN and self._ordered is not None:
            self._unordered.append(key)

    def delete(self, key: bytes) -> None:
        self.put(key, None)

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._all(prefix, after)
        if ENGINE.startswith(prefix) and prefix != ENGINE:  # of processors' rows: the engine's are not shown among them
            return (row for row in rows if not row[0].startswith(ENGINE))
        return rows

    def _all(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        written = self._written_under(prefix, after)
        if not written:
            yield from self._below(prefix, after)
            return
        hidden = set(written)
        below = ((key, value) for key, value in self._below(prefix, after) if key not in hidden)
        above = ((key, value) for key in written if (value := self._written[key]) is not None)
        yield from heapq.merge(below, above)

    def _below(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._backing.scan(prefix, after)
        while True:
            try:
                row = next(rows, None)
            except MemoryError:
                raise
            except Exception as error:
                raise StoreError("the store could not be read") from error
            if row is None:
                return
            if row[1][:1] == MARK and is_head(row[1]) and not row[0].startswith(PARTS):
                row = (row[0], self._joined(*row))
            yield row

    def _joined(self, key: bytes, head: bytes) -> bytes:
        try:
            return whole(key, head, self._backing)
        except MemoryError:
            raise
        except Exception as error:
            raise StoreError("the store could not be read") from error

    def _written_under(self, prefix: bytes, after: bytes | None) -> list[bytes]:
        ordered = self._order()
        found = []
        for index in range(bisect_left(ordered, prefix), len(ordered)):
            key = ordered[index]
            if not key.startswith(prefix):
                break
            if after is None or key > after:
                found.append(key)
        return found

    def _order(self) -> list[bytes]:
        """The written keys in order. Scans are rarer than writes: new keys are put in their places when one comes."""
        if self._ordered is None:
            self._ordered = sorted(self._written)
        elif len(self._unordered) * FEW < len(self._ordered):
            for key in self._unordered:
                insort(self._ordered, key)
        else:
            self._ordered += self._unordered
            self._ordered.sort()
        self._unordered.clear()
        return self._ordered

    def mark(self) -> None:
        """Forgets earlier marks: `undo` goes back to here. One message is undone at a time."""
        self._journal.clear()

    def undo(self) -> None:
        """Takes back every write since the last mark."""
        for key, before in reversed(self._journal):
            if isinstance(before, _Unwritten):
                del self._written[key]
            else:
                self._written[key] = before
        self._journal.clear()
        self._ordered = None
        self._unordered.clear()
