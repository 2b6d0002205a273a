"""The embedded log: one SQLite file, for the demo, tests and small installations.

Topics, partitions and offsets as in Kafka; one SQL transaction makes outputs, table records and consumed offsets atomic.
One process at a time. Inboxes are purged once consumed; table topics are compacted when the log is opened.
"""

from __future__ import annotations

import math
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from connectors.logs.partitioner import partition_of
from schemas.registry import RegistryError, UnknownSchemaError
from schemas.topics import TopicSpec, table_topic
from streams.engine.contract import Headers, Message
from streams.engine.holdings import TOMBSTONES_KEPT_MS
from streams.engine.log import NO_NOTES, Inbox, Listener, LogError, TableEnd, TableRecord
from streams.engine.outbox import Outgoing
from streams.engine.private import private_file, private_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, uuid TEXT NOT NULL, partitions INTEGER NOT NULL,
    compacted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, key BLOB, value BLOB, headers BLOB, timestamp INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ends (log INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (
    reader TEXT NOT NULL, log INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (reader, log)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS schemas (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, schema TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

SHARED_SECONDS = 60.0
"""How long a process of a shared log waits for another's transaction."""

_OFFSET_BITS = 40
_PARTITION_BITS = 8
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1
"""A message's row id is topic, partition and offset in one integer: 2^40 messages in each of 256 partitions."""

_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}  # the last: its tables are not ours
_OUTSIDE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""SQLite's codes, by what a person can do about them."""

_Row = tuple[int, bytes | None, bytes | None, bytes | None, int]
_headers_in = msgspec.msgpack.Decoder(Headers)
_headers_out = msgspec.msgpack.Encoder()


class Topic(NamedTuple):
    """A topic of the embedded log."""

    id: int
    name: str
    uuid: str
    partitions: int
    compacted: bool

    def log(self, partition: int) -> int:
        """The number of one partition among all logs of the file."""
        return (self.id << _PARTITION_BITS) | partition


def _note_name(reader: str, topic: Topic, partition: int) -> str:
    return f"read/{reader}/{topic.name}/{partition}"


def _row_id(log: int, offset: int) -> int:
    return (log << _OFFSET_BITS) | offset


class LogInUseError(LogError):
    """Another process has the file, and may let go of it."""


class DamagedLogError(LogError):
    """The file is damaged, or something else: waiting does not mend it."""


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Raises what SQLite finds wrong with the file at `path` as a LogError; what is wrong with our use of it stays."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # without the detail of an extended one
        if code in _IN_USE:
            raise LogInUseError(
                f"{path} cannot be opened ({error}): is another singleview using this data folder?"
            ) from error
        if code in _DAMAGED:
            raise _damaged(path, str(error)) from error
        if code in _OUTSIDE:
            raise LogError(
                f"{path} cannot be used ({error}): see that file and folder can be written, and the disk has room"
            ) from error
        raise


def _make_private(path: Path) -> None:
    """Before SQLite opens it: its other files get the same permissions."""
    try:
        if not path.parent.exists():
            private_folder(path.parent)
        private_file(path)
    except OSError as error:
        raise LogError(f"{path} cannot be used ({error.strerror}): see that file and folder can be written") from error


def _damaged(path: Path, what: str) -> DamagedLogError:
    return DamagedLogError(
        f"{path} cannot be read ({what}): it is damaged, or not singleview's."
        f" If a demo made its folder, `singleview demo --fresh --data {path.parent}` begins anew"
    )


class EmbeddedLog:
    """The file. Opened by one process at a time, unless shared: a second one gets a LogInUseError.

    Opening one that is damaged, or that something else made, raises DamagedLogError and leaves it as it is.
    """

    def __init__(self, path: Path, *, read_only: bool = False, shared: bool = False) -> None:
        """`shared`: by processes of one pipeline that write at the same time; whoever starts them sees that it is one."""
        self._path = path
        where = path.absolute().as_uri()  # quoted: a folder's name may hold a # or ?
        if read_only:
            where += "?mode=ro"
        else:
            _make_private(path)
        self._shared = shared
        self.topics: dict[str, Topic] = {}
        self._ends: dict[int, int] = {}
        with telling(path):
            self._db = sqlite3.connect(where, uri=True, isolation_level=None, timeout=SHARED_SECONDS if shared else 0.5)
            try:
                if not read_only:
                    self._make_ready()
                self._read()
            except (sqlite3.Error, LogError):
                self._db.close()  # nobody else can: there is no log to close
                raise

    def _make_ready(self) -> None:
        if not self._shared:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # before the first read, or others are let in
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if tables and "topics" not in tables:  # the first that is created, so it is there after any crash
            raise _damaged(self._path, "it holds other tables")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # an acknowledged batch survives a power cut
        self._db.execute("PRAGMA wal_autocheckpoint=4000")
        self._db.executescript(_SCHEMA)

    def _read(self) -> None:
        self._db.execute("PRAGMA cache_size=-65536")
        for number, name, unique, partitions, compacted in self._db.execute(
            "SELECT id, name, uuid, partitions, compacted FROM topics"
        ):
            self.topics[name] = Topic(number, name, unique, partitions, bool(compacted))
        self.refresh()

    def refresh(self) -> None:
        """Learns where the partitions end, which in a shared log others move too."""
        self._ends = dict(self._db.execute("SELECT log, next FROM ends"))

    def look(self) -> None:
        """Notices what others have appended, if the log is shared."""
        if self._shared:
            self.refresh()

    def lag(self, reader: str, topics: Iterable[str]) -> int:
        """Messages of these topics that a reader has not consumed yet."""
        self.look()
        found = (self.topic(name) for name in topics)
        return sum(
            self.end(topic.name, partition) - self.offset(reader, topic, partition)
            for topic in found
            for partition in range(topic.partitions)
        )

    def create(self, specs: Iterable[TopicSpec]) -> None:
        """Creates missing topics, and what those that may grow lack of partitions.

        Raises LogError when one exists with another number of partitions.
        """
        for spec in specs:
            known = self.topics.get(spec.name)
            if known and spec.grows:
                known = self.topics[spec.name] = self._grown(known, spec.partitions)
            elif known and known.partitions != spec.partitions:
                raise LogError(
                    f"topic {spec.name} has {known.partitions} partitions, not {spec.partitions}: it cannot change"
                )
            if known:
                continue
            unique = uuid.uuid4().hex
            number = self._db.execute(
                "INSERT INTO topics (name, uuid, partitions, compacted) VALUES (?, ?, ?, ?) RETURNING id",
                (spec.name, unique, spec.partitions, spec.compacted),
            ).fetchone()[0]
            self.topics[spec.name] = Topic(number, spec.name, unique, spec.partitions, spec.compacted)

    def _grown(self, topic: Topic, partitions: int) -> Topic:
        if partitions <= topic.partitions:
            return topic
        self._db.execute("UPDATE topics SET partitions = ? WHERE id = ?", (partitions, topic.id))
        return topic._replace(partitions=partitions)

    def topic(self, name: str) -> Topic:
        try:
            return self.topics[name]
        except KeyError:
            raise LogError(f"there is no topic {name} in {self._path}") from None

    # -- transactions --

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if self._shared:
            self.refresh()

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def abort(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self.refresh()

    def append(self, outgoing: Iterable[tuple[Outgoing, int]]) -> dict[Inbox, int]:
        """Appends messages, each with its timestamp, within the open transaction.

        Returns one past the last offset of each partition written.
        """
        rows: list[_Row] = []
        next_ids: dict[tuple[str, int], int] = {}  # of each partition written, the row id of its next message
        for item, timestamp in outgoing:
            name, partition = item.topic, item.partition
            if partition is None:
                partition = partition_of(item.key, self.topic(name).partitions)
            row_id = next_ids.get((name, partition))
            if row_id is None:
                log = self.topic(name).log(partition)
                row_id = _row_id(log, self._ends.get(log, 0))
            next_ids[name, partition] = row_id + 1
            headers = _headers_out.encode(item.headers) if item.headers else None
            rows.append((row_id, item.key, item.value, headers, timestamp))
        touched = {Inbox(*where): row_id & _OFFSET_MASK for where, row_id in next_ids.items()}
        self._write(rows, touched)
        return touched

    def _write(self, rows: list[_Row], touched: Mapping[Inbox, int]) -> None:
        self._db.executemany("INSERT INTO messages (id, key, value, headers, timestamp) VALUES (?, ?, ?, ?, ?)", rows)
        ends = {self.topics[inbox.topic].log(inbox.partition): end for inbox, end in touched.items()}
        self._db.executemany(
            "INSERT INTO ends VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET next = excluded.next", ends.items()
        )
        self._ends |= ends

    def set_offset(self, reader: str, topic: Topic, partition: int, offset: int) -> None:
        self._db.execute(
            "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT (reader, log) DO UPDATE SET next = excluded.next",
            (reader, topic.log(partition), offset),
        )

    def set_offset_note(self, reader: str, topic: Topic, partition: int, offset: int, note: str) -> None:
        """What a reader remembers of all messages before an offset."""
        self.set_note(_note_name(reader, topic, partition), f"{offset} {note}")

    def offset_note(self, reader: str, topic: Topic, partition: int) -> str:
        """What belongs to the next offset a reader consumes; empty if nothing does, say as the offset was set by hand."""
        offset, _, note = (self.note(_note_name(reader, topic, partition)) or "").partition(" ")
        return note if offset == str(self.offset(reader, topic, partition)) else ""

    def purge(self, topic: Topic, partition: int, before: int) -> None:
        """Deletes messages before an offset."""
        log = topic.log(partition)
        self._db.execute("DELETE FROM messages WHERE id >= ? AND id < ?", (_row_id(log, 0), _row_id(log, before)))

    # -- reading --

    def offset(self, reader: str, topic: Topic, partition: int) -> int:
        """The next offset a reader consumes."""
        found = self._db.execute(
            "SELECT next FROM offsets WHERE reader = ? AND log = ?", (reader, topic.log(partition))
        ).fetchone()
        return found[0] if found else 0

    def end(self, topic: str, partition: int) -> int:
        """One past the last offset of a partition."""
        return self._ends.get(self.topic(topic).log(partition), 0)

    def read(self, topic: Topic, partition: int, start: int, limit: int) -> list[Message]:
        """Up to `limit` messages from an offset on; those purged or compacted are passed over."""
        log = topic.log(partition)
        rows: Sequence[_Row] = self._db.execute(
            "SELECT id, key, value, headers, timestamp FROM messages WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (_row_id(log, start), _row_id(log + 1, 0), limit),
        ).fetchall()
        return [
            Message(topic.name, partition, number & _OFFSET_MASK, key, value, _decode_headers(headers), timestamp)
            for number, key, value, headers, timestamp in rows
        ]

    def messages(self, name: str, page: int = 5_000) -> Iterator[Message]:
        """Every message of a topic, partition by partition."""
        topic = self.topic(name)
        for partition in range(topic.partitions):
            start = 0
            while found := self.read(topic, partition, start, page):
                yield from found
                start = found[-1].offset + 1

    def compact(self, now_ms: int) -> None:
        """Keeps the newest record of each key of the compacted topics.

        A tombstone stays for `TOMBSTONES_KEPT_MS`: a store that has yet to catch up must still learn of the deletion.
        """
        for topic in self.topics.values():
            if not topic.compacted:
                continue
            for partition in range(topic.partitions):
                log = topic.log(partition)
                bounds = {"low": _row_id(log, 0), "high": _row_id(log + 1, 0), "old": now_ms - TOMBSTONES_KEPT_MS}
                self._db.execute(
                    "DELETE FROM messages WHERE id >= :low AND id < :high AND ((value IS NULL AND timestamp < :old)"
                    " OR id NOT IN (SELECT max(id) FROM messages WHERE id >= :low AND id < :high GROUP BY key))",
                    bounds,
                )

    # -- small things kept with the log --

    def note(self, name: str) -> str | None:
        """A small fact kept in the same file, such as how far a publisher got."""
        found = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def set_note(self, name: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def registry(self) -> EmbeddedRegistry:
        """The schema registry kept in this file."""
        return EmbeddedRegistry(self._db)

    def close(self) -> None:
        self._db.close()


class EmbeddedRegistry:
    """A `SchemaRegistry` in the log's file. Compatibility is the business of the tests, which guard the schemas."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def register(self, subject: str, schema: str) -> int:
        found = self._db.execute("SELECT id FROM schemas WHERE subject = ? AND schema = ?", (subject, schema)).fetchone()
        if found is None:
            found = self._db.execute(
                "INSERT INTO schemas (subject, schema) VALUES (?, ?) RETURNING id", (subject, schema)
            ).fetchone()
        if found is None:
            raise RegistryError(f"the schema of {subject} could not be stored")
        return int(found[0])

    def schema(self, schema_id: int) -> str:
        found = self._db.execute("SELECT schema FROM schemas WHERE id = ?", (schema_id,)).fetchone()
        if found is None:
            raise UnknownSchemaError(f"no schema has id {schema_id}")
        return str(found[0])


class EmbeddedSession:
    """A `Session` on the embedded log: all partitions of the inbox topics are its own from the first poll."""

    transaction_seconds = math.inf  # nobody waits for it, and nothing is written before its commit

    _listener: Listener

    def __init__(self, log: EmbeddedLog, processor: str, topics: Sequence[str], *, purge: bool = False) -> None:
        self._log = log
        self._processor = processor
        self._topics = [log.topic(name) for name in topics]
        self._purge = purge
        self._table = log.topics.get(table_topic(processor))
        self._positions: dict[Inbox, int] = {}  # of resumed partitions
        self._joined = False
        self._offsets: Mapping[Inbox, int] = {}
        self._notes: Mapping[Inbox, str] = {}
        self._outgoing: list[Outgoing] = []

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def _inboxes(self) -> list[tuple[Topic, int]]:
        return [(topic, partition) for topic in self._topics for partition in range(topic.partitions)]

    def poll(self, limit: int, timeout: float) -> list[Message]:  # noqa: ARG002 - nothing arrives while we wait
        if not self._joined:
            self._joined = True
            self._listener.assigned([Inbox(topic.name, partition) for topic, partition in self._inboxes()])
        self._log.look()
        found: list[Message] = []
        for topic, partition in self._inboxes():
            inbox = Inbox(topic.name, partition)
            if inbox not in self._positions or len(found) >= limit:
                continue
            if self._positions[inbox] >= self._log.end(topic.name, partition):
                continue
            messages = self._log.read(topic, partition, self._positions[inbox], limit - len(found))
            if messages:
                self._positions[inbox] = messages[-1].offset + 1
                found += messages
        # Partitions take turns at being read first, so that a full one cannot starve the others.
        self._topics = self._topics[1:] + self._topics[:1]
        return found

    def resume(self, partition: Inbox) -> None:
        self._positions[partition] = self._log.offset(self._processor, self._log.topic(partition.topic), partition.partition)

    def pause(self, partition: Inbox) -> None:
        self._positions.pop(partition, None)

    def begin(self) -> None:
        """Nothing yet: the file is locked for writing only by `commit`, so that folding does not hold up others."""
        self._outgoing, self._offsets = [], {}  # nothing of a batch that was given up

    def note(self, partition: Inbox) -> str:
        return self._log.offset_note(self._processor, self._log.topic(partition.topic), partition.partition)

    def send_offsets(self, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str] = NO_NOTES) -> None:
        self._offsets, self._notes = offsets, notes

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        self._outgoing += outgoing

    def produce_rows(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        topic = table_topic(self._processor)
        self._outgoing += [Outgoing(topic, key, value, (), partition) for key, value in rows.items()]

    def commit(self) -> Mapping[Inbox, int]:
        now = int(time.time() * 1000)
        self._log.begin()
        ends = self._log.append((item, now) for item in self._outgoing)
        for inbox, offset in self._offsets.items():
            topic = self._log.topic(inbox.topic)
            self._log.set_offset(self._processor, topic, inbox.partition, offset)
            if inbox in self._notes:
                self._log.set_offset_note(self._processor, topic, inbox.partition, offset, self._notes[inbox])
            if self._purge:
                self._log.purge(topic, inbox.partition, offset)
        self._log.commit()
        table = table_topic(self._processor)
        return {inbox: end for inbox, end in ends.items() if inbox.topic == table}

    def abort(self) -> None:
        self._log.abort()

    def rewind(self) -> None:
        for inbox in list(self._positions):
            self.resume(inbox)

    def table_end(self, partition: int) -> TableEnd:
        if self._table is None:
            raise LogError(f"there is no topic {table_topic(self._processor)}: run `singleview init`")
        return TableEnd(self._table.uuid, 0, self._log.end(self._table.name, partition))

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        table = self._table
        while table and start < end:
            messages = self._log.read(table, partition, start, 5_000)
            if not messages:
                return
            yield [TableRecord(m.offset, m.key, m.value) for m in messages if m.key is not None]
            start = messages[-1].offset + 1

    def close(self) -> None:
        """The file is closed by whoever opened it."""


def _decode_headers(data: bytes | None) -> Headers:
    return _headers_in.decode(data) if data else ()
