"""`singleview run`: processors over Kafka, each in a thread of its own, until told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from connectors.logs.kafka import Connection, KafkaSession
from connectors.registry import ConfluentRegistry
from schemas.registry import SchemaRegistry
from streams.app.wiring import Deployment, make_worker
from streams.engine.log import Listener, Session
from streams.engine.runtime import Worker
from tables.rocks import StoreOptions

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How long an idle processor waits for messages before it looks whether it must stop."""


def default_instance() -> str:
    """Stable over restarts on one machine; more processes on it need names of their own."""
    return socket.gethostname()


class Runner:
    """Runs processors until `stop`. The first error of any of them stops all: a supervisor starts the process anew."""

    def __init__(self, deployment: Deployment, processors: Sequence[str], instance: str) -> None:
        self._deployment = deployment
        self._instance = instance
        self._processors = processors
        self._stopping = threading.Event()
        self._registry: SchemaRegistry | None = None
        self._options = StoreOptions.bounded()
        self.failures: dict[str, BaseException] = {}
        self.workers: dict[str, Worker] = {}

    def stop(self) -> None:
        self._stopping.set()

    def run(self, started: Callable[[], None] = lambda: None) -> dict[str, BaseException]:
        """Blocks until stopped. Returns what failed, by processor. SIGTERM and SIGINT stop it after the open batches."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._registry = ConfluentRegistry(self._deployment.configuration.registry_settings)
        threads = [threading.Thread(target=self._one, args=(name,), name=name) for name in self._processors]
        for thread in threads:
            thread.start()
        started()
        for thread in threads:
            thread.join()
        return self.failures

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.stop()

    def _one(self, name: str) -> None:
        worker: Worker | None = None
        try:
            worker = self._worker(name)
            self.workers[name] = worker
            log.info("%s runs as %s", name, self._instance)
            while not self._stopping.is_set():
                worker.step(POLL_SECONDS)
        except Exception as error:
            self.failures[name] = error
            self.stop()
        finally:
            if worker is not None:
                worker.close()

    def _worker(self, name: str) -> Worker:
        deployment = self._deployment
        connection = Connection(deployment.configuration.kafka_settings, deployment.names, self._instance)

        def session(listener: Listener) -> Session:
            return KafkaSession(connection, name, deployment.inbox(name), listener, from_beginning=name == "intake")

        def registry() -> SchemaRegistry:
            assert self._registry is not None
            return self._registry

        stores = deployment.configuration.data_folder / self._instance
        return make_worker(deployment, deployment.processor(name, registry), session, stores, self._options)


def store_folder(data: Path, instance: str) -> Path:
    """Where one instance keeps its stores: never shared, as a hung process still holds its files."""
    return data / instance
