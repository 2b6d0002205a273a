"""`singleview run` as several processes over a real Kafka: children that die, are told to end, or lose their parent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import pytest
import yaml

from connectors.mappings import shipped_mapping
from streams.app.precedence import NICENESS
from tests.parts.ports import free_port
from tests.parts.process import gone

pytestmark = [pytest.mark.kafka, pytest.mark.registry]

PATIENCE = 90.0
PROCESSORS = {"records", "customers"}
T = TypeVar("T")


def until(found: Callable[[], T | None], what: str) -> T:
    """What `found` returns once that is not None."""
    deadline = time.monotonic() + PATIENCE
    while (value := found()) is None:
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)
    return value


class Running(NamedTuple):
    """A parent with two children."""

    parent: subprocess.Popen[bytes]
    port: int
    errors: Path

    def ready(self, index: int) -> bool | None:
        """True once the child of this index says so."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port + index}/ready", timeout=5) as answer:
                return answer.status == 200 or None
        except (urllib.error.URLError, ConnectionError):
            return None

    def metrics(self, index: int) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + index}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def log(self) -> str:
        return self.errors.read_text()


def _niceness(process: int) -> set[int]:
    """That of all its threads, beyond our own."""
    threads = [int(path.name) for path in Path(f"/proc/{process}/task").iterdir()]
    return {os.getpriority(os.PRIO_PROCESS, thread) - os.getpriority(os.PRIO_PROCESS, 0) for thread in threads}


@pytest.fixture
def running(tmp_path: Path, kafka: str, registry: str, unique: str) -> Iterator[Running]:
    port = free_port()
    config = tmp_path / "singleview.yaml"
    document = {
        "data": "data",
        "prefix": unique,
        "realms": {"north": 0},
        "partitions": 2,
        "sources": [str(shipped_mapping("partner"))],
        "kafka": {"bootstrap.servers": kafka},
        "registry": {"url": registry},
        "processes": 2,
        "observe": {"listen": f"127.0.0.1:{port}"},
    }
    config.write_text(yaml.safe_dump(document))
    environment = {**os.environ, "SINGLEVIEW_SECRET": "a secret of this test alone"}
    command: list[str | Path] = [sys.executable, "-m", "streams.app.cli"]
    subprocess.run([*command, "init", "--config", config], env=environment, check=True, timeout=PATIENCE)
    run = [*command, "run", *sorted(PROCESSORS), "--config", config, "--instance", "test", "--log-format", "json", "--json"]
    with (tmp_path / "errors").open("wb") as errors, (tmp_path / "output").open("wb") as output:
        parent = subprocess.Popen(run, env=environment, stdout=output, stderr=errors)
        found = Running(parent, port, tmp_path / "errors")
        try:
            for index in (0, 1):
                until(lambda: found.ready(index), f"child {index} ready:\n{found.log()}")  # noqa: B023 - called at once
            yield found
        finally:
            if parent.poll() is None:
                parent.kill()
            parent.wait(30)


def test_children_share_the_work_come_back_when_killed_and_all_end_in_time_when_told(
    running: Running, tmp_path: Path
) -> None:
    children = running.children()
    assert len(children) == 2
    assert len(list(Path(f"/proc/{running.parent.pid}/task").iterdir())) == 1  # or it must not fork
    held = [re.findall(r'^singleview_partitions\{processor="(\w+)"\} (\d)', running.metrics(i), re.M) for i in (0, 1)]
    assert sorted(held) == [[(name, "2")] for name in sorted(PROCESSORS)]
    titles = [Path(f"/proc/{child}/cmdline").read_text().rstrip("\0 ") for child in children]
    assert titles == [f"singleview run {held[index][0][0]} --instance test-{index}" for index in (0, 1)]
    for index, child in enumerate(children):
        own = NICENESS[held[index][0][0]]
        assert {0, own} == _niceness(child)  # the main thread, which only waits; those of the processor
    assert 'singleview_info{instance="test-1"' in running.metrics(1)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["test-0", "test-1", "test.endpoints"]
    os.kill(children[0], signal.SIGKILL)
    until(lambda: (children[0] not in (now := running.children()) and len(now) == 2) or None, "another in its place")
    until(lambda: running.ready(0), "the child ready again")
    assert "process test-0 ended by SIGKILL: starts again in 0.5 s" in running.log()
    children = running.children()
    told = time.monotonic()
    running.parent.send_signal(signal.SIGTERM)
    assert running.parent.wait(30) == 0
    assert time.monotonic() - told < 12
    assert all(gone(child) for child in children)
    summary = msgspec.json.decode((tmp_path / "output").read_bytes())
    assert summary == {"messages": dict.fromkeys(PROCESSORS, 0), "stopped_sources": {}, "failures": {}}
    assert [line for line in running.log().splitlines() if not line.startswith("{")] == []
    lines = [msgspec.json.decode(line) for line in running.log().splitlines()]
    assert {line["instance"] for line in lines if "processor" in line} == {"test-0", "test-1"}


def test_children_end_when_their_parent_is_killed(running: Running) -> None:
    children = running.children()
    running.parent.kill()
    until(lambda: all(gone(child) for child in children) or None, "the children's end")
