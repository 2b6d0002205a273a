"""Hostile events through the reader of each shipped mapping: read, or refused by a word; never anything unforeseen."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from connectors.mappings import SourceReader, load_mapping, shipped_mapping
from connectors.simulated import SOURCES
from schemas.messages import RECORDS
from schemas.registry import SchemaRegistry
from streams.engine.contract import Message, RejectedError
from tests.fuzz.events import HostileEvent, HostileEvents
from tests.fuzz.hostile import MARK

NOW = 1_704_100_000_000
SLOW_SECONDS = 1.0
"""Longer than any single event may take, on a machine that is busy with other things."""


@dataclass
class Readings:
    """What became of hostile events."""

    read: int = 0
    ignored: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    faults: list[str] = field(default_factory=list)  # what must not happen, at most one for each event
    slowest_seconds: float = 0.0


class ReaderFuzz:
    """Reads hostile events one after the other."""

    def __init__(self, registry: SchemaRegistry) -> None:
        self._readers = {
            topic: SourceReader(load_mapping(shipped_mapping(name)), registry) for name, topic in SOURCES.items()
        }
        self.readings = Readings()

    def read(self, event: HostileEvent, offset: int) -> None:
        began = time.thread_time()
        fault = self._outcome(Message(event.topic, 0, offset, event.key, event.value, (("traceparent", b"\xff"),), NOW))
        seconds = time.thread_time() - began
        self.readings.slowest_seconds = max(self.readings.slowest_seconds, seconds)
        if seconds > SLOW_SECONDS:
            fault = fault or f"took {seconds:.1f} s"
        if fault:
            self.readings.faults.append(f"{event.topic} {offset}: {fault}")

    def _outcome(self, message: Message) -> str:
        """What went wrong; empty if nothing did."""
        try:
            changes = self._readers[message.topic](message)
        except RejectedError as refusal:
            self.readings.refused[refusal.reason] += 1
            return "a refusal repeats a value" if MARK in refusal.detail or "\x1b" in refusal.detail else ""
        except Exception as error:  # this is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        if changes:
            self.readings.read += 1
        else:
            self.readings.ignored += 1
        differ = [change.operation for change in changes if RECORDS.decode(RECORDS.encode(change)) != change]
        return f"a {differ[0]} differs once it is encoded and decoded" if differ else ""


def fuzz_reader(count: int, seed: int, registry: SchemaRegistry) -> Readings:
    """Reads `count` hostile events."""
    fuzz = ReaderFuzz(registry)
    for offset, event in enumerate(HostileEvents(seed, registry).make(count)):
        fuzz.read(event, offset)
    return fuzz.readings
