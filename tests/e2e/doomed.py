"""Starts of the demo that are killed, as `kill -9` does, at a chosen point.

Each start is a process of its own, forked from a server that has imported everything and done nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from connectors.logs.embedded import EmbeddedLog
from streams.app import demo, embedded
from streams.app.config import Batches, Configuration

CUSTOMERS, SEED = 100, 7
BATCH = 25  # messages: many transactions, so many points to be killed at
PUBLISH_BATCH = 50

PUBLISHING = "publishing"  # events are appended, and how many is noted, but not yet committed
PUBLISHED = "published"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.e2e.doomed"])


class Doom(NamedTuple):
    """When a start is killed: the n-th time it passes a step of the commit protocol (1 to 7), or a point of publishing."""

    where: int | str
    nth: int


def start(folder: Path, doom: Doom | None) -> int:
    """Starts the demo on a folder and waits for its end; its exit code: -9 if the doom came, 0 if the demo was done."""
    process = _context.Process(target=_start, args=(folder, doom))
    process.start()
    process.join(120)
    code = process.exitcode
    process.kill()
    assert code is not None, "the demo does not end"
    return code


def _start(folder: Path, doom: Doom | None) -> None:
    passed: Counter[int | str] = Counter()

    def passing(where: int | str) -> None:
        passed[where] += 1
        if doom == (where, passed[where]):
            os.kill(os.getpid(), signal.SIGKILL)

    configuration, set_note = demo.demo_configuration, EmbeddedLog.set_note

    def of_small_batches(folder: Path, seed: int) -> Configuration:
        return configuration(folder, seed).model_copy(update={"batches": Batches(messages=BATCH)})

    def noted(self: EmbeddedLog, name: str, value: str) -> None:
        set_note(self, name, value)
        if name == "published":
            passing(PUBLISHING)

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "generate":
            passing(PUBLISHED)

    # This process is the test's own and ends with the demo: nothing needs to be put back.
    demo.demo_configuration = of_small_batches
    EmbeddedLog.set_note = noted  # type: ignore[method-assign]
    embedded.PUBLISH_BATCH = PUBLISH_BATCH
    demo.run_demo(folder, CUSTOMERS, SEED, progress, passing)
