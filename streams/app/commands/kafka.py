"""`singleview init` and `publish`: topics, and events for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Producer
from rich.markup import escape

from connectors.logs.kafka_remake import remake
from connectors.logs.topics import ActiveGroupError, NotAllowedError, TopicMismatchError, ensure_topics, first_offsets
from connectors.registry import ConfluentRegistry
from connectors.simulated.files import FolderError, read_folder, read_summary
from connectors.simulated.publish import SourceEncoder
from schemas.topics import INBOXES, TopicSpec
from streams.app.broker import quiet, reach, unreachable
from streams.app.config import EVENT_BYTES, Configuration, topic_specs
from streams.app.console import UsageError, WorkError, err, out, print_facts, print_json, stages
from streams.app.facts.start import record, refuse_changed
from streams.app.rights import unusable
from streams.app.skip import skip_lost
from streams.app.wiring import INBOX_OF, PROCESSORS, Deployment

FLUSH_SECONDS = 60.0
"""How long the broker may take to acknowledge the last events."""


def init(
    config: Path,
    accepted: Sequence[str] = (),
    skipped: Sequence[str] = (),
    remade: Sequence[str] = (),
    *,
    as_json: bool,
) -> None:
    """Creates and checks topics, commits first offsets, registers schemas, keeps the facts of the deployment.

    `accepted`: table topics whose content was brought back. `skipped`: topics to be read on without what was deleted before
    it was read. `remade`: inboxes to be made anew with what waits in them. Raises WorkError with the fix, FactsError.
    """
    deployment = Deployment(Configuration.load(config))
    configuration = deployment.configuration
    settings = quiet(configuration.kafka_settings)
    reach(settings)
    try:
        refuse_changed(deployment, settings, accepted)
        for topic in remade:
            _remake(deployment, settings, topic)
        report = ensure_topics(settings, topic_specs(configuration), configuration.prefix, configuration.replication)
        offsets = sum(
            first_offsets(settings, configuration.prefix + processor, [deployment.names.physical(topic)])
            for processor, topic in INBOX_OF.items()
        )
        changes = record(deployment, settings, accepted)
        given_up = skip_lost(deployment, settings, skipped)
    except (TopicMismatchError, ActiveGroupError, NotAllowedError) as error:
        raise WorkError(str(error)) from error
    except KafkaException as error:
        raise unusable(deployment, settings, error) from error
    with ConfluentRegistry(configuration.registry_settings) as registry:
        deployment.codec(registry)
    if as_json:
        print_json({**report._asdict(), "first_offsets": offsets, "changes": changes, "given_up": given_up})
        return
    facts = {"created": str(len(report.created)), "already there": str(len(report.existing)), "first offsets": str(offsets)}
    print_facts("Topics", facts)
    for difference in (*changes, *given_up, *report.differences):
        out.print(f" [yellow]note:[/] {escape(difference)}", soft_wrap=True)


def _remake(deployment: Deployment, settings: dict[str, str], topic: str) -> None:
    configuration = deployment.configuration
    prefix = configuration.prefix
    specs = {prefix + spec.name: spec for spec in topic_specs(configuration) if spec.name in INBOXES}
    if topic not in specs:
        raise UsageError(f"--remake: {topic} is no inbox (they are {', '.join(specs)})")
    groups = [prefix + processor for processor in PROCESSORS]
    waiting = remake(settings, specs[topic], prefix, configuration.replication, topic, groups)
    err.print(f" {escape(topic)} was made anew with the {waiting:,} messages that waited in it", soft_wrap=True)


def publish(folder: Path, config: Path, *, as_json: bool) -> None:
    """Sends a generated folder to the source topics, creating those that are missing.

    Raises UsageError if the folder is not one, WorkError if not every event was acknowledged.
    """
    deployment = Deployment(Configuration.load(config))
    configuration = deployment.configuration
    settings = configuration.kafka_settings
    specs = [
        TopicSpec(topic, configuration.partitions, compacted=False, retention_ms=-1, max_message_bytes=2 * EVENT_BYTES)
        for topic in deployment.source_topics
    ]
    try:
        total = sum(read_summary(folder).events.values())
        reach(settings)
        ensure_topics(quiet(settings), specs, "", configuration.replication)
        with stages(quiet=as_json) as progress, ConfluentRegistry(configuration.registry_settings) as registry:
            done = _send(settings, folder, SourceEncoder(registry), lambda sent: progress("publish", sent, total))
    except FolderError as error:
        raise UsageError(str(error)) from error
    except (TopicMismatchError, NotAllowedError) as error:
        raise WorkError(str(error)) from error
    except KafkaException as error:
        raise unreachable(settings, error.args[0].str()) from error
    if as_json:
        print_json({"events": done})
    else:
        out.print(f" {done:,} events sent. Next:  [bold cyan]singleview run[/]")


def _send(settings: dict[str, str], folder: Path, encode: SourceEncoder, progress: Callable[[int], None]) -> int:
    """Sends every event of a folder and waits for the broker; returns how many there are."""
    refused: Counter[str] = Counter()

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            refused[error.str()] += 1

    producer = Producer({"enable.idempotence": True, "linger.ms": 20, **settings, "partitioner": "murmur2_random"})
    done = 0
    for event in read_folder(folder):
        value = encode(event)
        while True:
            try:
                producer.produce(event.topic, value, event.key, timestamp=event.timestamp, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        done += 1
        if done % 1_000 == 0:
            producer.poll(0)
            progress(done)
    left = producer.flush(FLUSH_SECONDS)
    progress(done - left)
    if left or refused:
        why = ", ".join(f"{count:,}: {reason}" for reason, count in refused.items()) or "is the broker well?"
        raise WorkError(f"{left + refused.total():,} of {done:,} events were not acknowledged ({why})")
    return done
