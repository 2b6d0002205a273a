"""`python -m tests.chaos.worker ...`: one worker process; the engine is the real one.

The file `order` in its folder makes it do harm to itself at a numbered step: `kill 3`, `freeze 3` (SIGSTOP), `stall 3 20`
(it sleeps so many seconds while the client goes on sending heartbeats). `freeze-broker PID` freezes another process once all
that a transaction wrote is acknowledged; the worker commits, and kills itself. The file `slow` makes its restores slow.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from confluent_kafka import Producer

from connectors.logs.kafka import KafkaSession
from connectors.logs.kafka_client import Connection
from schemas.topics import TopicNames
from streams.engine.log import FencedError, Inbox, Listener, TableEnd
from streams.engine.runtime import Limits, Worker
from streams.engine.store import Sync
from tables.rocks import RocksStore, RocksStores, StoreOptions
from tests.chaos.counting import NAME, Counter

FENCED_CODE = 3
STORE = 6  # the step after the commit
SLOW_SECONDS = 1.5


class Orders:
    """Harm on demand: each order is carried out once."""

    def __init__(self, folder: Path) -> None:
        self._order = folder / "order"
        self._last_commit = False

    def acknowledged(self) -> None:
        what, *more = self._given()
        if what == "freeze-broker":
            os.kill(int(more[0]), signal.SIGSTOP)
            self._last_commit = True

    def at(self, step: int) -> None:
        if self._last_commit and step == STORE:
            self._order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        what, *more = self._given()
        if what not in {"kill", "freeze", "stall"} or int(more.pop(0)) != step:
            return
        self._order.unlink()
        if what == "stall":
            time.sleep(float(more[0]))
        else:
            os.kill(os.getpid(), signal.SIGKILL if what == "kill" else signal.SIGSTOP)

    def _given(self) -> list[str]:
        try:
            return self._order.read_text().split() or [""]
        except FileNotFoundError:
            return [""]


class SlowStores(RocksStores):
    """Stores whose restore takes a while when the file `slow` is there."""

    def __init__(self, folder: Path, options: StoreOptions) -> None:
        super().__init__(folder / "stores", options)
        self._slow = folder / "slow"

    def open(self, partition: int) -> RocksStore:
        if not self._slow.exists():
            return super().open(partition)
        store = super().open(partition)
        apply = store.apply

        def slowly(rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
            if self._slow.exists():
                time.sleep(SLOW_SECONDS)
            apply(rows, sync)

        store.apply = slowly  # type: ignore[method-assign]
        return store


class Told:
    """A listener whose partitions are noted for the run."""

    def __init__(self, to: Listener) -> None:
        self._to = to

    def assigned(self, partitions: Iterable[Inbox]) -> None:
        given = list(partitions)
        logging.info("assigned %s", sorted(inbox.partition for inbox in given))
        self._to.assigned(given)

    def revoked(self, partitions: Iterable[Inbox]) -> None:
        taken = list(partitions)
        logging.info("revoked %s", sorted(inbox.partition for inbox in taken))
        self._to.revoked(taken)


def holds(log: str) -> set[int]:
    """Which partitions a worker has, by what it logged."""
    return _since(log, "assigned")


def restores(log: str) -> set[int]:
    """Of which of its partitions a worker knows to what end it restores them, by what it logged."""
    return _since(log, "restoring")


def _since(log: str, word: str) -> set[int]:
    held: set[int] = set()
    for line in log.splitlines():
        words = line.split(" ", 4)  # date, time, level, what, which
        if words[3:] == ["starts"]:
            held = set()
        elif words[3:4] in ([word], ["revoked"]):
            which = {int(number) for number in re.findall(r"\d+", words[4])}
            held = held | which if words[3] == word else held - which
    return held


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("brokers")
    parser.add_argument("prefix")
    parser.add_argument("protocol")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.info("starts")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # The poll limit is short, so that a stall passes it soon.
    settings = {"bootstrap.servers": given.brokers, "max.poll.interval.ms": "12000"}
    connection = Connection(settings, TopicNames(given.prefix), given.name, given.protocol)
    session = KafkaSession(connection, NAME, ["in"], stopping=stopping)
    orders = Orders(given.folder)
    flush = session._transactions._flush

    def flush_and_tell(producer: Producer) -> None:
        flush(producer)
        orders.acknowledged()

    session._transactions._flush = flush_and_tell  # type: ignore[method-assign]
    ask_end = session.table_end

    def ask_end_and_tell(partition: int) -> TableEnd:
        end = ask_end(partition)
        logging.info("restoring [%d] to an offset that is known", partition)
        return end

    session.table_end = ask_end_and_tell  # type: ignore[method-assign]
    given.folder.mkdir(parents=True, exist_ok=True)
    stores = SlowStores(given.folder, StoreOptions.bounded(8 << 20))
    worker = Worker(Counter(), session, stores, limits=Limits(messages=500, outputs=100), at=orders.at, rest=stopping.wait)
    session.listen(Told(worker))
    code = 0
    try:
        while not stopping.is_set():
            worker.step(0.2)
    except FencedError as error:
        logging.warning("fenced: %s", error)
        code = FENCED_CODE
    finally:
        worker.close()
    logging.info("ends after %d messages, %d retries", worker.counts.messages, worker.counts.retries)
    return code


if __name__ == "__main__":
    sys.exit(main())
