"""`singleview run`: processors over Kafka, each in a thread of its own, until told to stop."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from connectors.logs.kafka import Connection, KafkaSession
from connectors.registry import ConfluentRegistry, RegistryAwayError
from connectors.registry_asking import AskedInBackground
from schemas.public import PublicCodec, PublicFormatError
from schemas.registry import RegistryError, SchemaRegistry
from schemas.topics import INBOXES
from streams.app.console import WorkError
from streams.app.exits import USER_ERRORS, WORK_ERRORS
from streams.app.logs import say_who
from streams.app.precedence import take_precedence
from streams.app.stopping import when_asked_to_stop
from streams.app.watch import Watch
from streams.app.wiring import INBOX_OF, Deployment, make_worker
from streams.engine.contract import Processor
from streams.engine.runtime import Worker
from streams.engine.unforeseen import without_text
from tables.rocks import StoreOptions

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
"""Between two looks whether the registry is back, when a process starts without it."""

POLL_SECONDS = 0.2
"""How long an idle processor waits for messages before it looks whether it must stop."""

SWITCH_SECONDS = 0.0005
"""How long a processor may keep others of its process waiting for the interpreter. By default it is 5 ms, which each of them
would lose at every call that leaves the interpreter: to the log, to a store."""

LOOK_SECONDS = 0.2
"""How often the main thread looks whether it was told to stop. Another thread may take a signal, which does not wake it
up, and only the main thread runs the handler: one that waits for ever would never do so."""

DRAIN_SECONDS = 9.0
"""How long processors have to end their batches once told to stop: a little less than their parent waits."""


def default_instance() -> str:
    """Stable over restarts on one machine; more processes on it need names of their own."""
    return socket.gethostname()


class StoppedError(Exception):
    """Told to stop before there was anything to stop."""


class Runner:
    """Runs processors until `stop`. The first error of any of them stops all: a supervisor starts the process anew."""

    def __init__(self, deployment: Deployment, processors: Sequence[str], instance: str) -> None:
        self._deployment = deployment
        self._instance = instance
        self._stopping = threading.Event()
        self._told = False  # to stop, by a signal
        self._registry: ConfluentRegistry | None = None
        self._codec: PublicCodec | None = None
        self._options = StoreOptions.bounded()
        self.failures: dict[str, BaseException] = {}
        self.workers: dict[str, Worker] = {}
        self.watches = {name: Watch(name, self._event_time if name == "notify" else None) for name in processors}

    def stop(self) -> None:
        self._stopping.set()

    def run(self, started: Callable[[], None] = lambda: None) -> dict[str, BaseException]:
        """Blocks until stopped, or asked to by a signal. Returns what failed, by processor. Open batches are ended."""
        when_asked_to_stop(self._on_signal)
        sys.setswitchinterval(SWITCH_SECONDS)
        self._registry = ConfluentRegistry(self._deployment.configuration.registry_settings)
        threads = {
            name: threading.Thread(target=self._one, args=(name, watch), name=name, daemon=True)
            for name, watch in self.watches.items()
        }
        for thread in threads.values():
            thread.start()
        started()
        while not (self._told or self._stopping.wait(LOOK_SECONDS)):
            pass
        self.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        for name, thread in threads.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self.failures[name] = WorkError(
                    f"did not end its batch within {DRAIN_SECONDS:.0f} s and is left: its transaction times out by itself"
                )
        return self.failures

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._told = True  # and no more: `stop` takes a lock, which the main thread may hold just now

    def _one(self, name: str, watch: Watch) -> None:
        say_who(instance=self._instance, processor=name)
        take_precedence(name)
        worker: Worker | None = None
        try:
            session, worker = self._worker(name, watch)
            self.workers[name] = worker
            log.info("%s runs as %s", name, self._instance)
            while not self._stopping.is_set():
                worker.step(POLL_SECONDS)
                watch.publish(worker, session.lags, session.unread, session.read_again)
            watch.publish(worker, session.lags, session.unread, session.read_again, now=True)  # what is said at the end
        except StoppedError:
            log.info("%s ends before it began", name)
        except (*USER_ERRORS, *WORK_ERRORS, OSError) as error:
            self.failures[name] = error
        except Exception as error:
            log.exception("%s: an unforeseen error", name, exc_info=without_text(error))
            self.failures[name] = WorkError(f"unforeseen {type(error).__name__}: see the log")
        finally:
            self.stop()
            if worker is not None:
                worker.close()

    def _worker(self, name: str, watch: Watch) -> tuple[KafkaSession, Worker]:
        deployment = self._deployment
        group = deployment.configuration.group
        connection = Connection(
            deployment.configuration.kafka_settings, deployment.names, self._instance, group.protocol, group.static
        )

        def registry() -> SchemaRegistry:
            assert self._registry is not None
            return AskedInBackground(self._registry) if name == "intake" else self._registry

        def processor() -> Processor:
            if name == "notify":
                self._codec = deployment.codec(registry())
            return watch.around(deployment.processor(name, registry))

        ready = once_registry_is_there(processor, watch, self._stopping)
        stores = store_folder(deployment.configuration.data_folder, self._instance)
        session = KafkaSession(
            connection,
            name,
            deployment.inbox(name),
            from_beginning=name == "intake",
            epochs=deployment.log_epochs if name == "intake" else {},
            purge=INBOX_OF.get(name) in INBOXES,
            table_id=deployment.table_id(name),
            stopping=self._stopping,
        )
        interval = deployment.configuration.batches.interval_seconds
        worker = make_worker(deployment, ready, session, stores, self._options, watch.at, self._stopping.wait, interval)
        return session, worker

    def _event_time(self, change: bytes) -> int | None:
        """The source event time of an encoded change, ms; None if it cannot be read."""
        assert self._codec is not None
        try:
            return self._codec.decode_change(change).event_time
        except (PublicFormatError, RegistryError):
            return None


def once_registry_is_there(make: Callable[[], Processor], watch: Watch, stopping: threading.Event) -> Processor:
    """Makes a processor; waits, and says so, while the registry is away. Other processors of the process go on meanwhile.

    Raises StoppedError when told to stop before, RegistryError when the registry is there and refuses.
    """
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            return make()
        except RegistryAwayError as away:
            log.warning("%s: cannot begin, again in %.1f s: %s", watch.processor, pause, away)
            watch.waits(str(away))
            stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    raise StoppedError


def store_folder(data: Path, instance: str) -> Path:
    """Where one instance keeps its stores: never shared, as a hung process still holds its files."""
    return data / instance
