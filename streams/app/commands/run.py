"""`singleview run`: in this process, or in several that this one keeps running."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TypedDict

import msgspec
from confluent_kafka import KafkaException

from streams.app import logs
from streams.app.broker import quiet, reach
from streams.app.config import Configuration
from streams.app.console import UsageError, WorkError, print_json
from streams.app.endpoints import Place, announced, endpoints_file
from streams.app.exits import exit_code
from streams.app.exposition import Exposition
from streams.app.facts.start import check_start
from streams.app.forked import Forked, when_parent_ends
from streams.app.health import healths
from streams.app.logs import LogFormat, say_who
from streams.app.observe import Address, Endpoint
from streams.app.placing import cores, place
from streams.app.rights import unusable
from streams.app.run import Runner, default_instance, store_folder
from streams.app.supervise import Supervisor
from streams.app.wiring import PROCESSORS, Deployment

log = logging.getLogger(__name__)


class Summary(TypedDict):
    """What processes did, for programs."""

    messages: dict[str, int]  # by processor
    stopped_sources: dict[str, str]  # topic, why
    failures: dict[str, str]  # by processor


def run(
    processors: list[str],
    config: Path,
    instance: str | None,
    processes: int | None,
    log_format: LogFormat | None,
    *,
    as_json: bool,
) -> None:
    """Runs until stopped.

    Raises UsageError for an unknown processor, WorkError naming the processor, or the process, that failed.
    """
    for name in processors:
        if name not in PROCESSORS:
            raise UsageError(f"there is no processor {name} (allowed: {', '.join(PROCESSORS)})")
    chosen = [name for name in PROCESSORS if name in processors] or list(PROCESSORS)
    deployment = Deployment(Configuration.load(config))
    configuration = deployment.configuration
    logs.configure(log_format or configuration.log_format)
    if "identity" in chosen:
        _ = configuration.secret_bytes  # a missing one is found before anything begins
    if "notify" in chosen:
        _ = configuration.subscriber_secrets
    name = instance or default_instance()
    say_who(instance=name)
    reach(configuration.kafka_settings)
    count = processes or configuration.processes or max(cores(), len(chosen))
    places = place(chosen, count) if count > 1 else []
    names = [f"{name}-{index}" for index in range(len(places))]
    _check(deployment, chosen, names or [name])
    with _announced(configuration, name, max(1, len(places))):
        if places:
            _run_processes(deployment, places, names, as_json=as_json)
        else:
            _run_here(deployment, chosen, name, None, as_json=as_json)


def _announced(configuration: Configuration, instance: str, count: int) -> AbstractContextManager[None]:
    """Where the processes listen is written down for a health check, if they do, at ports known before."""
    if configuration.observe is None:
        return nullcontext()
    places = [Place(*configuration.observe.address(index)) for index in range(count)]
    if not all(place.port for place in places):
        return nullcontext()
    return announced(endpoints_file(configuration.data_folder, instance), places)


def _check(deployment: Deployment, chosen: Sequence[str], names: Sequence[str]) -> None:
    settings = quiet(deployment.configuration.kafka_settings)
    try:
        facts = check_start(deployment, settings, chosen, names)
    except KafkaException as error:
        raise unusable(deployment, settings, error) from error
    deployment.known(facts.realms, facts.tables)


def _run_processes(deployment: Deployment, places: Sequence[Sequence[str]], names: Sequence[str], *, as_json: bool) -> None:
    children: list[Forked] = []

    def spawn(index: int) -> Forked:
        work = partial(_run_here, deployment, places[index], names[index], index, as_json=as_json)
        title = f"singleview run {' '.join(places[index])} --instance {names[index]}"
        children.append(Forked(partial(exit_code, work), title, keep_output=as_json))
        return children[-1]

    log.info("running %d processes: %s", len(names), ", ".join(names))
    try:
        Supervisor(spawn, names).run()
    finally:
        if as_json:
            print_json(summed([printed for child in children if (printed := child.output())]))


def summed(printed: Sequence[bytes]) -> Summary:
    """The summaries of several processes as one."""
    messages: Counter[str] = Counter()
    total: Summary = {"messages": messages, "stopped_sources": {}, "failures": {}}
    for one in printed:
        summary = msgspec.json.decode(one, type=Summary)
        messages.update(summary["messages"])
        total["stopped_sources"].update(summary["stopped_sources"])
        total["failures"].update(summary["failures"])
    return total


def _run_here(deployment: Deployment, chosen: Sequence[str], instance: str, index: int | None, *, as_json: bool) -> None:
    """`index`: which child of a parent process this is, if it is one."""
    say_who(instance=instance)
    configuration = deployment.configuration
    runner = Runner(deployment, chosen, instance)
    if index is not None:
        when_parent_ends(runner.stop)
    with ExitStack() as stack:
        if configuration.observe:
            watches = list(runner.watches.values())
            exposition = Exposition(watches, instance, store_folder(configuration.data_folder, instance))
            address = Address(*configuration.observe.address(index or 0))
            stack.enter_context(Endpoint(address, exposition.text, partial(healths, watches)))
        failures = runner.run(started=lambda: log.info("running: %s", ", ".join(chosen)))
    if as_json:
        summary: Summary = {
            "messages": {name: worker.counts.messages for name, worker in runner.workers.items()},
            "stopped_sources": {topic: why for watch in runner.watches.values() for topic, why in watch.snapshot.stopped},
            "failures": {name: str(error) for name, error in failures.items()},
        }
        print_json(summary)
    if failures:
        raise WorkError("; ".join(f"{name}: {error}" for name, error in failures.items()))
