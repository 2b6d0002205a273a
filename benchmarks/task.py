"""What every contender is told: one JSON object as its only argument."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Read `source`, merge by key, write one message per event to `output`, keep the rows in `folder`."""

    brokers: str
    prefix: str  # of every topic and group of this run
    source: str  # the preloaded topic; full name, as the others
    output: str
    group: str  # the consumer group, and the name of the application where a peer wants one
    folder: str  # for its stores: empty, and deleted after the run

    @property
    def path(self) -> Path:
        return Path(self.folder)


def parse_task(text: str) -> Task:
    return msgspec.json.decode(text, type=Task)
