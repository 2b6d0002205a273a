"""A deployment of its own on shared parts: one small JSON source, the command line, what comes out."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not declare what it re-exports
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from tests.command_line import CommandLine, Outcome
from tests.e2e.processes import singleview

PATIENCE = 90.0
MAPPING = """
source: crm
topics: [{topic}]
format: json
realm: {{path: realm, default: north}}
record_id: id
order: {{sequence: seq}}
delete_when: {{path: gone, equals: true}}
attributes:
  names: {{given: given, family: family}}
  emails: {{value: mail}}
"""


class Check(NamedTuple):
    """What the doctor says of one thing."""

    area: str
    what: str
    status: str
    found: str
    fix: str


class Running:
    """`singleview run`, as a process."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self._errors = errors

    @property
    def log(self) -> str:
        return self._errors.read_text()

    def until(self, done: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, f"not in time: {what}\n{self.log}"
            assert self.process.poll() is None, f"it ended: {what}\n{self.log}"
            time.sleep(0.1)

    def says(self, text: str) -> None:
        self.until(lambda: text in self.log, f"it says {text!r}")


class Deployed:
    """Topics under a prefix of their own, and the commands on them."""

    def __init__(self, command: CommandLine, folder: Path, kafka: str, registry: str, prefix: str) -> None:
        self.prefix = prefix
        self.source = f"{prefix}crm"
        self.folder = folder
        self.kafka = kafka
        self.admin = AdminClient({"bootstrap.servers": kafka})
        self._command = command
        self._config = folder / "singleview.yaml"
        (folder / "crm.yaml").write_text(MAPPING.format(topic=self.source))
        self._document: dict[str, Any] = {
            "data": "data",
            "prefix": prefix,
            "realms": {"north": 0, "south": 1},
            "partitions": 2,
            "sources": ["crm.yaml"],
            "subscribers": [{"name": "warehouse"}],
            "kafka": {"bootstrap.servers": kafka},
            "registry": {"url": registry},
            "processes": 1,
            "group": {"static": False},  # a process that ends leaves its groups at once
        }
        self.configure()
        self.create(self.source, 1)

    def configure(self, **changes: Any) -> None:
        self._document |= changes
        self._config.write_text(yaml.safe_dump(self._document))

    def create(self, topic: str, partitions: int, **config: str) -> None:
        for future in self.admin.create_topics(
            [NewTopic(topic, partitions, 1, config=config)], operation_timeout=30
        ).values():
            future.result()
        self._wait(lambda: topic in self.topics())

    def delete(self, topic: str) -> None:
        for future in self.admin.delete_topics([topic], operation_timeout=30).values():
            future.result()
        self._wait(lambda: topic not in self.topics())

    def alter(self, topic: str, setting: str, value: str) -> None:
        """Changes one setting of a topic."""
        entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result()

    def topics(self) -> set[str]:
        return set(self.admin.list_topics(timeout=30).topics)

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline
            self.admin.poll(0.05)

    def __call__(self, *arguments: object) -> Outcome:
        """A command in this process."""
        return self._command(*arguments, "--config", self._config)

    def init(self) -> None:
        found = self("init")
        assert found.code == 0, found.err

    def doctor(self) -> list[Check]:
        return [Check(**check) for check in msgspec.json.decode(self("doctor", "--json").out)["checks"]]

    def troubles(self, area: str, status: str = "error") -> list[Check]:
        return [check for check in self.doctor() if (check.area, check.status) == (area, status)]

    def refused(self) -> str:
        """What `run` says instead of starting."""
        found = self("run")
        assert found.code != 0
        return " ".join(found.err.split())

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Running]:
        errors = self.folder / "errors.txt"
        with errors.open("wb") as stderr:
            process = singleview("run", "--config", str(self._config), *arguments, stderr=stderr, stdout=subprocess.DEVNULL)
            try:
                running = Running(process, errors)
                running.says("running: ")
                yield running
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.wait(30)

    def send(self, *numbers: int, seq: int = 1, **fields: object) -> None:
        producer = Producer({"bootstrap.servers": self.kafka})
        for number in numbers:
            event = {"id": f"r{number}", "seq": seq, "given": f"Given{number}", "family": f"Moss{number * 7919}"}
            event["mail"] = f"p{number}@n{number}.example"
            producer.produce(self.source, json.dumps({**event, **fields}), f"r{number}")
        assert producer.flush(30) == 0

    def read(self, topic: str) -> list[tuple[bytes | None, bytes | None]]:
        """Key and value of everything a read-committed reader sees of a topic, one key in order."""
        return [(key, value) for _, key, value in self.raw(topic)]

    def raw(self, topic: str) -> list[tuple[int, bytes | None, bytes | None]]:
        """The same, with the partition before each."""
        return [(each.partition() or 0, each.key(), each.value()) for each in self.messages(topic)]

    def messages(self, topic: str) -> list[Message]:
        """The same, with all that a message has."""
        own = {"group.id": "look", "isolation.level": "read_committed", "enable.partition.eof": True}
        consumer = Consumer({"bootstrap.servers": self.kafka, "auto.offset.reset": "earliest", **own})
        partitions = list(consumer.list_topics(topic, 30).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Message] = []
        ended: set[int | None] = set()
        while len(ended) < len(partitions):
            for raw in consumer.consume(1000, 0.2):
                if raw.error() is None:
                    found.append(raw)
                else:
                    ended.add(raw.partition())
        consumer.close()
        return found

    def of(self, name: str) -> str:
        """A topic of singleview's own."""
        return self.prefix + name

    def seen(self, name: str) -> int:
        """How many keys a compacted topic of singleview's holds."""
        return len(dict(self.read(self.of(name))))
