"""The demo: five simulated systems flow through the whole pipeline, without a broker."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from connectors.logs.embedded import DamagedLogError, EmbeddedLog, LogInUseError, telling
from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES, SourceEvent, estimate_events, generate
from schemas.canonical import record_key
from streams.app.aside import Aside
from streams.app.config import Batches, Configuration, ConfigurationError
from streams.app.embedded import Pipeline, data_paths
from streams.app.quality import Quality, compare_to_truth
from streams.app.summary import Summary, Tables, memberships, summarise
from streams.app.wiring import PROCESSORS, Deployment
from streams.engine.runtime import CrashPoint
from streams.notify import Subscriber

REALMS = {"north": 0, "south": 1}
ASIDE = (("identity",), ("customers", "notify"))
"""Processors that run in processes of their own, where there is more than one core."""
LEFTOVER_SECONDS = 10.0
"""How long a batch of a killed demo's child may take to its end."""
RETRY_SECONDS = 0.1
CLAIM = "demo"
"""The note in a demo's log that says which demo it is."""
SECRET_FILE = "secret"  # noqa: S105 - the name of a file
SECRET_BYTES = 16
SECRET = re.compile(rb"[0-9a-f]{%d}" % (2 * SECRET_BYTES))

Progress = Callable[[str, int, int], None]
"""Told of a stage's name, how much is done and how much there is."""


class DemoResult(NamedTuple):
    """What the demo found."""

    summary: Summary
    seconds: float  # of the pipeline in this start, without generating
    events_now: int  # source events consumed in this start
    quality: Quality
    example: str  # the id of a customer worth looking at

    @property
    def events_per_second(self) -> float:
        return self.events_now / self.seconds if self.seconds else 0.0


def demo_configuration(folder: Path, seed: int) -> Configuration:
    """The demo's deployment. Its secret is no secret: it is derived from the seed, so that ids are the same every time."""
    secret = folder / SECRET_FILE
    text = blake2b(f"demo {seed}".encode(), digest_size=SECRET_BYTES).hexdigest()
    if not secret.exists() or secret.read_text() != text:  # a crash may have left half of it
        secret.write_text(text)  # never again: the demo's other processes read it
    return Configuration(
        data=folder.resolve(),
        realms=REALMS,
        sources=tuple(shipped_mapping(name) for name in SOURCES),
        subscribers=(
            Subscriber(name="warehouse"),
            Subscriber(name="mdm", attributes=("names", "birth_date", "identifications", "addresses")),
        ),
        batches=Batches(messages=5_000, fold_seconds=8.0),  # no transaction of the embedded log can time out
        secret=f"${{file:{secret.resolve()}}}",
    )


def run_demo(
    folder: Path,
    customers: int,
    seed: int,
    progress: Progress,
    at: CrashPoint = lambda step: None,  # noqa: ARG005
    processes: int = 1,
) -> DemoResult:
    """Generates what is not yet in the folder's log, runs the pipeline over it, and compares with the truth.

    Goes on where an earlier start of the same demo was stopped, however it was stopped. With two processes or more,
    the processors of `ASIDE` run in processes of their own.
    Raises ConfigurationError when the folder holds another demo, LogError when its log is in use or damaged.
    """
    _claim(folder, customers, seed)
    deployment = Deployment(demo_configuration(folder, seed))
    asides = ASIDE if processes > 1 else ()
    elsewhere = [name for names in asides for name in names]
    here = [name for name in PROCESSORS if name not in elsewhere]
    log, stores = data_paths(folder)
    with telling(log), Pipeline(deployment, at, processors=here, shared=bool(elsewhere)) as pipeline:
        with ExitStack() as stack:
            children = [stack.enter_context(Aside(names, folder, seed)) for names in asides]
            truth = _publish(pipeline, customers, seed, progress)
            began = time.perf_counter()
            events = 0
            for events, waiting in pipeline.run(elsewhere):
                # Messages wait where the pipeline is slowest: about as many events are not through.
                progress("pipeline", max(0, events - waiting), pipeline.published)
                for child in children:
                    child.check()
            seconds = time.perf_counter() - began
        progress("pipeline", pipeline.published, pipeline.published)
        pipeline.close_workers()
        with Tables(stores) as tables:
            summary = summarise(pipeline.log, tables, deployment.source_topics, list(REALMS))
            found = memberships(tables)
    return DemoResult(summary, seconds, events, compare_to_truth(found, truth), _example(found))


def demo_deployment(folder: Path) -> Deployment:
    """That of the demo in a folder. Raises ConfigurationError if there is none, LogError if its log is in use or damaged."""
    path, _ = data_paths(folder)
    held = None
    if path.exists():
        with telling(path), closing(EmbeddedLog(path)) as log:
            held = log.note(CLAIM)
    if held is None:
        raise ConfigurationError(f"{folder} holds no demo: name its folder with --data, or a deployment with --config")
    return Deployment(demo_configuration(folder, int(held.rpartition("seed=")[2])))


def clear(folder: Path) -> None:
    """Removes a demo's folder. Raises ConfigurationError if it holds anything else, LogError while a demo runs in it."""
    if not folder.exists():
        return
    log, stores = data_paths(folder)
    own = {log.name, f"{log.name}-wal", f"{log.name}-shm", stores.name, SECRET_FILE}
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in own)
    if others:
        raise ConfigurationError(f"{folder} also holds {others[0]}, which is no demo's: nothing was removed")
    if log.exists() and not _is_a_demos(log):
        raise ConfigurationError(
            f"nothing shows that {log} is a demo's: nothing was removed. Choose another --data, or delete {folder} yourself"
        )
    shutil.rmtree(folder)


def _is_a_demos(log: Path) -> bool:
    """Whether the log is of a demo, or of nobody yet. Of a damaged one, the secret that a demo keeps beside it tells."""
    try:
        with telling(log), closing(EmbeddedLog(log)) as opened:
            return not opened.topics or opened.note(CLAIM) is not None
    except DamagedLogError:
        secret = log.with_name(SECRET_FILE)
        return secret.is_file() and SECRET.fullmatch(secret.read_bytes()) is not None


def _claim(folder: Path, customers: int, seed: int) -> None:
    """Notes in the folder's log which demo it is of, before anything else is written."""
    wanted = f"customers={customers} seed={seed}"
    path, _ = data_paths(folder)
    with telling(path), closing(_opened(path)) as log:
        held = log.note(CLAIM)
        if held is None:
            log.set_note(CLAIM, wanted)
        elif held != wanted:
            raise ConfigurationError(f"{folder} holds a demo of {held}: choose another --data, or --fresh to begin anew")


def _opened(path: Path) -> EmbeddedLog:
    """The log, once nobody else has it: the child of a demo that was killed needs a moment to notice, and to end."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while True:
        try:
            return EmbeddedLog(path)
        except LogInUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _publish(pipeline: Pipeline, customers: int, seed: int, progress: Progress) -> dict[str, str]:
    """Appends the simulated events to the source topics; returns the truth, record to true customer."""
    truth: dict[str, str] = {}
    about = estimate_events(customers)

    def events() -> Iterator[SourceEvent]:
        for event in generate(customers, seed):
            if event.truth:
                row = event.truth
                truth[record_key(row.realm, row.source, row.record_id)] = row.cluster
            yield event

    done = pipeline.published
    complete = pipeline.log.note("generated") is not None
    rest = islice(events(), done, None)
    if complete:
        for _ in rest:
            pass
        return truth
    for now in pipeline.publish(rest, done):
        progress("generate", now, max(now, about))
        done = now
    progress("generate", done, done)
    pipeline.log.set_note("generated", "yes")
    return truth


def _example(found: dict[str, str]) -> str:
    """The customer with the most source systems: the most to look at. The lowest id of those."""
    systems: dict[str, set[str]] = {}
    for record, customer in found.items():
        systems.setdefault(customer, set()).add(record.split("/", 2)[1])
    return min(systems, key=lambda customer: (-len(systems[customer]), customer), default="")
