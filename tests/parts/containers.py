"""The same parts as containers, where the machine has a container engine."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Self

from testcontainers.core.container import DockerContainer

from tests.parts.broker_settings import REQUIRED_SETTINGS, SINGLE_NODE_SETTINGS, SMALL_SETTINGS
from tests.parts.java_registry import API
from tests.parts.part import MissingPartError, PartStartError, SecondListener
from tests.parts.ports import free_port
from tests.parts.ready import http_answers, kafka_answers
from tests.parts.versions import APICURIO, KAFKA

START_TIMEOUT = 120.0  # seconds, after the image is there
SECOND_PORT = 9094
STOP_TIMEOUT = 20  # seconds for an orderly stop


def check_engine() -> None:
    """Raises MissingPartError unless a container engine answers.

    Asks the command line: the client library leaves a socket open when nobody answers, which pytest rightly reports.
    """
    program = shutil.which("docker")
    if program is None:
        raise MissingPartError("no container engine found (docker): install Docker, or Podman with podman-docker")
    done = subprocess.run([program, "info"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        reason = (done.stderr.splitlines() or ["it does not say why"])[-1]
        raise MissingPartError(f"no container engine answers ({program} info: {reason}): start it")


class Container:
    """One container on a fixed port of this machine, so that it comes back at the same address.

    testcontainers' reaper removes it should the tests be killed.
    """

    def __init__(self, container: DockerContainer, ready: Callable[[], bool], address: str) -> None:
        self._container = container
        self._ready = ready
        self._created = False
        self.address = address

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            state = self._container.get_wrapped_container()
            state.reload()
            if state.status in {"exited", "dead"} or time.monotonic() > deadline:
                raise PartStartError(f"{self._container.image} did not start ({state.status}):\n{self.log()[-4000:]}")

    def stop(self) -> None:
        if self._created:
            self._container.get_wrapped_container().stop(timeout=STOP_TIMEOUT)

    def kill(self) -> None:
        if self._created:
            running = self._container.get_wrapped_container()
            running.kill()
            running.wait()

    def log(self) -> str:
        return b"".join(self._container.get_logs()).decode(errors="replace") if self._created else ""

    def close(self) -> None:
        if self._created:
            self._container.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def kafka_container(
    settings: Mapping[str, str] | None = None, second: SecondListener | None = None, version: str = KAFKA
) -> Container:
    """A single Kafka node. `settings` are broker settings, laid over the tests' own. Raises MissingPartError."""
    check_engine()
    port = free_port()
    address = f"127.0.0.1:{port}"
    listens, advertises = (f",SECOND://:{SECOND_PORT}", f",SECOND://127.0.0.1:{second.advertised}") if second else ("", "")
    broker = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": f"PLAINTEXT://:9092,CONTROLLER://:9093{listens}",
        "advertised.listeners": f"PLAINTEXT://{address}{advertises}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECOND:PLAINTEXT",
        **REQUIRED_SETTINGS,
        **SINGLE_NODE_SETTINGS,
        **SMALL_SETTINGS,
        **(settings or {}),
    }
    container = DockerContainer(f"apache/kafka:{version}").with_bind_ports(9092, port)
    if second:
        container = container.with_bind_ports(SECOND_PORT, second.port)
    for name, value in broker.items():
        container.with_env(environment_name(name), value)
    return Container(container, lambda: kafka_answers(address), address)


def registry_container() -> Container:
    """A registry that keeps its schemas in memory: a restart forgets them. Raises MissingPartError."""
    check_engine()
    port = free_port()
    url = f"http://127.0.0.1:{port}{API}"
    container = DockerContainer(f"apicurio/apicurio-registry-mem:{APICURIO}").with_bind_ports(8080, port)
    return Container(container, lambda: http_answers(f"{url}/subjects"), url)


def environment_name(setting: str) -> str:
    """The variable by which the apache/kafka image takes a broker setting."""
    return "KAFKA_" + setting.replace("_", "__").replace(".", "_").upper()
