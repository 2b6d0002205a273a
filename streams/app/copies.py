"""Copies of a running deployment's tables, for looking at: read from Kafka, beside the pipeline and without touching it.

They are all customers' data, so they are there for one look only: a folder of its own in the data folder, locked while it is
in use, and removed afterwards. What a look that was killed has left is removed by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from confluent_kafka import KafkaError, TopicPartition

from connectors.logs.kafka_client import Connection
from connectors.logs.kafka_table import READER_SETTINGS, KafkaTable
from connectors.logs.partitioner import partition_of
from schemas.topics import CUSTOMER_CHANGES, table_topic
from streams.app.config import topic_specs
from streams.app.wiring import Deployment
from streams.engine.holdings import TOMBSTONES_KEPT_MS
from streams.engine.log import LogError, TableEnd, TableRecord
from streams.engine.private import private_folder
from streams.engine.store import Restore
from tables.rocks import RocksStores, StoreOptions

COPIES_FOLDER = "copies"
Progress = Callable[[str, int, int], None]


class Copies:
    """Local copies of table topics, and the change events of single customers. Close it: that removes the copies."""

    def __init__(self, deployment: Deployment) -> None:
        configuration = deployment.configuration
        self._connection = Connection(configuration.kafka_settings, deployment.names, "copies")
        self._partitions = {spec.name: spec.partitions for spec in topic_specs(configuration)}
        self._stack = ExitStack()
        self.folder: Path = self._stack.enter_context(own_folder(configuration.data_folder / COPIES_FOLDER))

    def close(self) -> None:
        """Removes the copies."""
        self._stack.close()

    def refresh(self, processors: Collection[str], progress: Progress) -> None:
        """Brings the copies of these processors' tables up to now. Raises LogError when Kafka cannot be read."""
        options = StoreOptions.bounded(8 << 20)
        for processor in processors:
            topic = table_topic(processor)
            table = _Table(KafkaTable(self._connection, self._connection.names.physical(topic)))
            stores = RocksStores(self.folder / processor, options)
            for partition in range(self._partitions[topic]):
                now_ms = int(time.time() * 1000)
                restore = Restore(table, stores, partition, max_age_ms=TOMBSTONES_KEPT_MS // 2, now_ms=now_ms)
                try:
                    while restore.advance():
                        progress(f"{processor} {partition}", *restore.progress)
                finally:
                    restore.store.close()

    def changes(self, customers: Collection[str]) -> Iterator[bytes]:
        """The change events of these customer ids, each id's in order. Reads the whole partition of each."""
        keys = {customer.encode() for customer in customers}
        count = self._partitions[CUSTOMER_CHANGES]
        topic = self._connection.names.physical(CUSTOMER_CHANGES)
        for partition in sorted({partition_of(key, count) for key in keys}):
            yield from self._of_partition(topic, partition, keys)

    def _of_partition(self, topic: str, partition: int, keys: Collection[bytes]) -> Iterator[bytes]:
        with closing(self._connection.reader(READER_SETTINGS)) as reader:
            reader.assign([TopicPartition(topic, partition, 0)])
            while True:
                for message in reader.consume(10_000, 0.2):
                    error = message.error()
                    key, value = message.key(), message.value()
                    if error is None:
                        if key in keys and value is not None:
                            yield value
                    elif error.code() == KafkaError._PARTITION_EOF:
                        return
                    elif not error.retriable():
                        raise LogError(f"{topic} cannot be read: {error.str()}")


@contextmanager
def own_folder(among: Path) -> Iterator[Path]:
    """A new folder in another, removed at the end; so is at the beginning whatever there is that nobody has locked."""
    private_folder(among)
    for left in among.iterdir():
        with suppress(BlockingIOError, FileNotFoundError, NotADirectoryError), closing(_Locked(left)):
            shutil.rmtree(left)
    folder = _new_folder(among)
    try:
        yield folder.path
    finally:
        shutil.rmtree(folder.path)
        folder.close()
        with suppress(OSError):  # somebody else is looking too
            among.rmdir()


class _Locked:
    """A folder locked against other processes until it is closed, or this process is gone.

    Raises BlockingIOError if another has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._descriptor)


def _new_folder(among: Path) -> _Locked:
    """Made and locked. Until it is locked, another process may take it for left over: then once more."""
    while True:
        with suppress(BlockingIOError, FileNotFoundError):
            private_folder(among)
            folder = _Locked(Path(mkdtemp(dir=among)))
            if folder.path.exists():
                return folder
            folder.close()


class _Table:
    """A table topic alone, as a restore asks for it."""

    def __init__(self, table: KafkaTable) -> None:
        self._table = table

    def table_end(self, partition: int) -> TableEnd:
        return self._table.end(partition)

    def read_table(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        return self._table.read(partition, start, end)
