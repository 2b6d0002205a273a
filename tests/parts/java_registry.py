"""A schema registry (Apicurio, Confluent-compatible API) run by Java from Maven Central's jars."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Self

from tests.parts.artifacts import apicurio_folder, java
from tests.parts.ports import free_port
from tests.parts.process import ServerProcess
from tests.parts.ready import http_answers
from tests.parts.versions import APICURIO

API = "/apis/ccompat/v7"
START_TIMEOUT = 90.0  # seconds
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class JavaRegistry:
    """Keeps its schemas in a file of its own, so ids survive a crash and a restart."""

    def __init__(self) -> None:
        home = apicurio_folder()
        self.folder = Path(tempfile.mkdtemp(prefix="singleview-registry-"))
        self.port = free_port()
        # Without WRITE_DELAY=0 H2 loses writes it has acknowledged in the last half second before a kill.
        database = f"jdbc:h2:file:{self.folder}/registry;DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0"
        command = [
            java(),
            *JVM,
            "-Dquarkus.http.host=127.0.0.1",
            f"-Dquarkus.http.port={self.port}",
            f"-DREGISTRY_DATASOURCE_URL={database}",
            "-jar",
            f"apicurio-registry-app-{APICURIO}-runner.jar",
        ]
        self._process = ServerProcess("schema registry", command, self.folder / "server.log", home)
        atexit.register(self.close)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{API}"

    @property
    def log_path(self) -> Path:
        return self._process.log_path

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def start(self) -> None:
        self._process.start()
        self._process.wait_until(lambda: http_answers(f"{self.address}/subjects"), START_TIMEOUT)

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def log(self) -> str:
        return self._process.log()

    def close(self) -> None:
        self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
