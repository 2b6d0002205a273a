"""A deployment of singleview on a broker and a registry of its own, as commands that are started again when they end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import yaml

from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES
from streams.app.wiring import INBOX_OF
from tests.chaos.processes import Child, Supervised
from tests.parts import set_backward_compatibility
from tests.parts.java_kafka import JavaKafka
from tests.parts.java_registry import JavaRegistry
from tests.parts.process import gone
from tests.parts.versions import KAFKA_THAT_MAY_BE_KILLED

PREFIX = "chaos."
RUNS = ("left", "right")
"""Instances of `singleview run`; each runs all processors, so that each processor has two instances."""

PROCESSES = 2
"""Of each run: its processors are shared out over them."""

SUBSCRIBERS = ({"name": "warehouse"}, {"name": "mdm", "attributes": ["name", "phones"]})
PATIENCE = 60.0


class Worker(NamedTuple):
    """A child process of a run."""

    pid: int
    processors: frozenset[str]

    @property
    def alive(self) -> bool:
        return not gone(self.pid)


class Site:
    """The parts, and the configuration files of the run and of the embedded pipeline it is compared with."""

    def __init__(self, folder: Path) -> None:
        """Raises MissingPartError."""
        self.folder = folder
        self.kafka = JavaKafka(version=KAFKA_THAT_MAY_BE_KILLED)
        self.registry = JavaRegistry()  # a container of it would forget its schemas when killed
        try:
            self.kafka.launch()  # both at once
            self.registry.start()
            set_backward_compatibility(self.registry.address)
            self.kafka.wait_ready()
        except BaseException:
            self.close()
            raise
        (folder / "secret").write_text("a secret of the chaos alone")
        connections = {"kafka": {"bootstrap.servers": self.kafka.address}, "registry": {"url": self.registry.address}}
        self.config = self._configure(folder / "singleview.yaml", {"data": "data", "prefix": PREFIX, **connections})
        self.embedded = self._configure(folder / "embedded.yaml", {"data": "embedded"})
        (folder / "embedded").mkdir()

    def _configure(self, path: Path, own: dict[str, object]) -> Path:
        document = {
            "realms": {"north": 0, "south": 1},
            "sources": [str(shipped_mapping(name)) for name in SOURCES],
            "subscribers": list(SUBSCRIBERS),
            "secret": f"${{file:{self.folder / 'secret'}}}",
            **own,
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def command(self, *arguments: str) -> None:
        """Runs a command to its end, which must be a good one."""
        child = Child("streams.app.cli", [*arguments, "--config", str(self.config)], self.folder / arguments[0] / "log")
        code = child.process.wait(PATIENCE)
        assert code == 0, f"singleview {arguments[0]} ended with {code}: {child.says()}"

    def run(self, name: str) -> Supervised:
        """`singleview run` as one instance, not started yet."""
        arguments = ["run", "--config", str(self.config), "--instance", name, "--processes", str(PROCESSES)]
        return Supervised(name, [*arguments, "--log-format", "json"], self.folder / name, "streams.app.cli")

    def stores(self, name: str) -> list[Path]:
        """The folders of a run's stores."""
        return sorted((self.folder / "data").glob(f"{name}-*"))

    def inboxes(self) -> list[tuple[str, str]]:
        """Groups and the topics they read, in the order of the flow."""
        found = [(f"{PREFIX}intake", topic) for topic in SOURCES.values()]
        return found + [(PREFIX + processor, PREFIX + topic) for processor, topic in INBOX_OF.items()]

    def close(self) -> None:
        self.kafka.close()
        self.registry.close()


def workers(run: Supervised) -> list[Worker]:
    """The child processes a run has now."""
    pid = run.pid
    if pid is None:
        return []
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        titles = {int(child): Path(f"/proc/{child}/cmdline").read_text().split() for child in listed}
    except FileNotFoundError:  # it has just ended
        return []
    known = frozenset(("intake", *INBOX_OF))
    return [Worker(child, known.intersection(words)) for child, words in titles.items() if os.getpid() != child]
