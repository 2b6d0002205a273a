"""A Kafka broker run by Java from Maven Central's jars."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.parts.artifacts import java, kafka_libraries
from tests.parts.broker_settings import REQUIRED_SETTINGS, SINGLE_NODE_SETTINGS, SMALL_SETTINGS
from tests.parts.part import PartStartError, SecondListener
from tests.parts.ports import free_port
from tests.parts.process import ServerProcess
from tests.parts.ready import kafka_answers
from tests.parts.versions import KAFKA

CLUSTER_ID = "c2luZ2xldmlldy10ZXN0cw"  # base64 of 16 bytes
START_TIMEOUT = 180.0  # seconds; after a kill the broker needs 12-15 to come back, on a busy machine far more
JVM = ("-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # small, and quick to start
LOGGING = Path(__file__).with_name("log4j2.properties")


class JavaKafka:
    """One node, broker and controller in one; `settings` are laid over its server.properties.

    For several nodes give each its `node_id`, `configure` all with the same `controller.quorum.voters`, `launch` all, then
    `wait_ready` each: a node is not ready before a majority is up.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        node_id: int = 1,
        jvm: Sequence[str] = JVM,
        second: SecondListener | None = None,
        version: str = KAFKA,
    ) -> None:
        self._java = java()
        self._class_path = f"{kafka_libraries(version)}/*"
        self.folder = Path(tempfile.mkdtemp(prefix="singleview-kafka-"))
        self.port = free_port()
        self.controller_port = free_port()
        self._properties = self.folder / "server.properties"
        self._settings = self._defaults(node_id, second)
        self.configure(settings or {})
        command = [*jvm, f"-Dlog4j2.configurationFile={LOGGING}", "kafka.Kafka", str(self._properties)]
        self._process = ServerProcess("kafka", self._program(command), self.folder / "server.log", self.folder)
        atexit.register(self.close)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        return self._process.log_path

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def configure(self, settings: Mapping[str, str]) -> None:
        """Lays broker settings over those it has, for its next start."""
        self._settings |= settings
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in self._settings.items()))

    def launch(self) -> None:
        """Start without waiting."""
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()
        self._process.start()

    def wait_ready(self, brokers: int = 1) -> None:
        """Wait until this node sees so many brokers. Raises PartStartError."""
        self._process.wait_until(lambda: kafka_answers(self.address, brokers), START_TIMEOUT)

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def log(self) -> str:
        return self._process.log()

    def close(self) -> None:
        self._process.kill()  # the data go too: nothing is gained by an orderly stop
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _defaults(self, node_id: int, second: SecondListener | None) -> dict[str, str]:
        listens, advertises = (f",SECOND://127.0.0.1:{port}" if second else "" for port in second or (0, 0))
        return {
            "process.roles": "broker,controller",
            "node.id": str(node_id),
            "controller.quorum.voters": f"{node_id}@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}{listens}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}{advertises}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECOND:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            **REQUIRED_SETTINGS,
            **SINGLE_NODE_SETTINGS,
            **SMALL_SETTINGS,
        }

    def _program(self, arguments: list[str]) -> list[str]:
        return [self._java, "-cp", self._class_path, *arguments]

    def _format(self) -> None:
        command = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties)]
        done = subprocess.run(self._program(command), capture_output=True, text=True, check=False, timeout=START_TIMEOUT)
        if done.returncode != 0:
            raise PartStartError(f"the broker's data folder could not be formatted: {done.stdout}{done.stderr}")
