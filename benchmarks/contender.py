"""Who takes part in the engine workload, and how each is started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from benchmarks.environments import faust_python, kafka_streams, quix_python
from benchmarks.paths import HERE
from benchmarks.task import Task
from tests.parts.versions import KAFKA

CONTENDERS = HERE / "contenders"
STREAMS_LOGGING = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


class Contender(NamedTuple):
    """One program on the engine workload."""

    name: str
    title: str
    command: Callable[[Task], list[str]]  # makes its environment at first need
    changelog: Callable[[Task], str] | None = None  # part of the name of its changelog topic; None: keeps no state
    most_events: int | None = None  # what a slow one is given at most
    members: int = 1  # of its consumer group


def _text(task: Task) -> str:
    return msgspec.json.encode(task).decode()


def _streams(task: Task, way: str, *jvm: str) -> list[str]:
    java, class_path = kafka_streams()
    return [java, *jvm, STREAMS_LOGGING, "-cp", class_path, "benchmark.Merge", _text(task), way]


def _ours(task: Task, processes: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.contenders.engine", _text(task), str(processes)]


def _forward(task: Task) -> list[str]:
    return [sys.executable, "-m", "benchmarks.contenders.forward", _text(task)]


OURS = "singleview"
BARE = "bare"
ALONE = "forward"
ALONE_ONE_BY_ONE = "forward-each"
NO_PEERS = frozenset({BARE, ALONE, ALONE_ONE_BY_ONE})
"""They do less than an engine must: ours is shown as a share of their rate."""

ALL: tuple[Contender, ...] = (
    Contender(
        OURS,
        "singleview, exactly once",
        lambda task: _ours(task, 1),
        lambda task: f"{task.prefix}merge-table",
    ),
    Contender(
        "singleview-two",
        "singleview, two processes",
        lambda task: _ours(task, 2),
        lambda task: f"{task.prefix}merge-table",
        members=2,
    ),
    Contender(
        "streams",
        f"Kafka Streams {KAFKA}, exactly once, 1 thread",
        lambda task: _streams(task, "default"),
        lambda task: f"{task.group}-rows-changelog",
    ),
    Contender(
        "streams-tuned",
        f"Kafka Streams {KAFKA}, tuned",
        lambda task: _streams(task, "tuned", "-Xmx512m"),
        lambda task: f"{task.group}-rows-changelog",
    ),
    Contender(
        "quix",
        "Quix Streams 3.28.1, exactly once",
        lambda task: [str(quix_python()), str(CONTENDERS / "quix.py"), _text(task)],
        lambda task: f"changelog__{task.group}--{task.source}",
    ),
    Contender(
        "faust",
        "Faust 0.15.3, at least once",
        lambda task: [str(faust_python()), str(CONTENDERS / "faust_table.py"), _text(task), "worker"],
        lambda task: f"{task.group}-rows-changelog",
        most_events=20_000,
    ),
    Contender(
        BARE,
        "the merge in one loop, no engine",
        lambda task: [sys.executable, "-m", "benchmarks.contenders.bare", _text(task)],
        lambda task: f"{task.prefix}merge-table",
    ),
    Contender(
        ALONE,
        "consume and produce alone",
        _forward,
    ),
    Contender(
        ALONE_ONE_BY_ONE,
        "consume and produce, one at a time",
        lambda task: [*_forward(task), "one-by-one"],
    ),
)

WARMING = next(contender for contender in ALL if contender.name == ALONE)
"""Run once before all others, and not counted."""
