"""Hostile events through the whole pipeline: each is reflected or a dead letter, and no record lacks a view."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import yaml

from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES, generate
from connectors.simulated.publish import SourceEncoder
from schemas.canonical import realm_of
from schemas.topics import DEAD_LETTERS
from streams.app.config import Configuration
from streams.app.embedded import Pipeline
from streams.app.summary import Tables
from streams.app.wiring import Deployment
from streams.engine.contract import Message, RejectedError
from streams.engine.dead_letters import PREFIX, reason_of
from streams.engine.outbox import Outgoing
from streams.records import RECORD_ROWS
from tests.e2e.views import latest_views
from tests.fakes import MemoryStore, RecordingOutbox
from tests.fuzz.events import HostileEvent, HostileEvents
from tests.fuzz.reader import NOW

GOOD_EVERY = 4
"""One good event goes between so many hostile ones."""
REALMS = {"north": 0, "south": 1}


class Outcome(NamedTuple):
    """What became of the events."""

    events: int
    letters: Counter[str]  # by reason
    records: int  # that exist
    customers: int
    faults: list[str]


def fuzz_pipeline(count: int, seed: int, folder: Path) -> Outcome:
    """Runs `count` hostile events and some good ones through an embedded pipeline. The secret must be in the environment."""
    deployment = Deployment(Configuration.load(_configure(folder)))
    with Pipeline(deployment) as pipeline:
        events = _events(count, seed, pipeline)
        pipeline.log.begin()
        pipeline.log.append((Outgoing(event.topic, event.key, event.value), NOW) for event in events)
        pipeline.log.commit()
        for _ in pipeline.run():
            pass
        letters = list(pipeline.log.messages(DEAD_LETTERS))
        stopped = {topic: why for worker in pipeline.workers.values() for topic, why in worker.stopped.items()}
        published = {
            record for view in latest_views(pipeline.log) if view["status"] == "active" for record in view["members"]
        }
        customers = sum(view["status"] == "active" for view in latest_views(pipeline.log))
        refused = _refused(deployment, pipeline)
    with Tables(folder / "data" / "stores") as tables:
        existing = _existing(tables)
    faults = [f"{topic} was stopped: {why}" for topic, why in stopped.items()]
    faults += _faults_of(letters, refused)
    if existing != published:
        faults.append(
            f"{len(existing - published)} records without a view, {len(published - existing)} views without a record"
        )
    reasons = Counter(reason_of(letter.headers) for letter in letters)
    return Outcome(len(events), reasons, len(existing), customers, faults)


def _configure(folder: Path) -> Path:
    for name in SOURCES:
        (folder / f"{name}.yaml").write_text(shipped_mapping(name).read_text())
    document = {
        "realms": REALMS,
        "sources": [f"{name}.yaml" for name in SOURCES],
        "dead_letters": {"stop_share": 1.0},  # hostile events are the rule here
    }
    path = folder / "singleview.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def _events(count: int, seed: int, pipeline: Pipeline) -> list[HostileEvent]:
    encode = SourceEncoder(pipeline.registry)
    good = [HostileEvent(event.topic, event.key, encode(event)) for event in generate(max(count // 40, 1), seed=seed)]
    mixed: list[HostileEvent] = []
    for number, event in enumerate(HostileEvents(seed, pipeline.registry).make(count)):
        if number % GOOD_EVERY == 0 and good:
            mixed.append(good.pop(0))
        mixed.append(event)
    return mixed + good


def _refused(deployment: Deployment, pipeline: Pipeline) -> dict[str, bytes | None]:
    """Events that the readers refuse, each read alone: reference and value."""
    intake = deployment.processor("intake", lambda: pipeline.registry)
    found: dict[str, bytes | None] = {}
    for topic in deployment.source_topics:
        for message in pipeline.log.messages(topic):
            try:
                intake.process(message, MemoryStore(), RecordingOutbox())
            except RejectedError:
                found[message.ref] = message.value
    return found


def _faults_of(letters: list[Message], refused: dict[str, bytes | None]) -> list[str]:
    """Dead letters must be the refused events, whole, and nothing inside the pipeline."""
    faults: list[str] = []
    kept: dict[str, bytes | None] = {}
    for letter in letters:
        why = {name.removeprefix(PREFIX): (text or b"").decode() for name, text in letter.headers if name.startswith(PREFIX)}
        if why["stage"] != "intake" or reason_of(letter.headers) == "processor-error":
            faults.append(f"{why['stage']} refused a message: {why['exception.message']}")
        kept[f"{why['topic']}/{why['partition']}/{why['offset']}"] = letter.value
    if kept != refused:
        faults.append(
            f"{len(refused.keys() - kept.keys())} refused events are not kept, {len(kept.keys() - refused.keys())} good are"
        )
        faults += [f"{ref} is not kept as it came" for ref in kept.keys() & refused.keys() if kept[ref] != refused[ref]]
    return faults


def _existing(tables: Tables) -> set[str]:
    found: set[str] = set()
    for store in tables.partitions("records"):
        for key, data in store.scan(b"r/"):
            record = key.removeprefix(b"r/").decode()
            if RECORD_ROWS.decode(data).exists and realm_of(record) in REALMS:
                found.add(record)
    return found
