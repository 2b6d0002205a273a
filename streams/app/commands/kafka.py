"""`singleview init`, `run` and `publish`: the commands that need a broker."""

from __future__ import annotations

import logging
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from connectors.logs.topics import ActiveGroupError, TopicMismatchError, ensure_topics, first_offsets
from connectors.registry import ConfluentRegistry
from connectors.simulated.files import read_folder, read_summary
from connectors.simulated.publish import SourceEncoder
from schemas.topics import TopicSpec
from streams.app.config import EVENT_BYTES, Configuration, topic_specs
from streams.app.console import UsageError, WorkError, out, print_facts, print_json, stages
from streams.app.run import Runner, default_instance
from streams.app.wiring import INBOX_OF, PROCESSORS, Deployment


def init(config: Path, *, as_json: bool) -> None:
    """Creates and checks topics, commits first offsets, registers schemas. Raises WorkError with the fix for what is wrong."""
    deployment = Deployment(Configuration.load(config))
    configuration = deployment.configuration
    settings = configuration.kafka_settings
    try:
        report = ensure_topics(settings, topic_specs(configuration), configuration.prefix, configuration.replication)
        offsets = sum(
            first_offsets(settings, configuration.prefix + processor, [deployment.names.physical(topic)])
            for processor, topic in INBOX_OF.items()
        )
    except (TopicMismatchError, ActiveGroupError) as error:
        raise WorkError(str(error)) from error
    except KafkaException as error:
        raise _unreachable(settings, error) from error
    with ConfluentRegistry(configuration.registry_settings) as registry:
        deployment.codec(registry)
    if as_json:
        print_json({**report._asdict(), "first_offsets": offsets})
        return
    facts = {"created": str(len(report.created)), "already there": str(len(report.existing)), "first offsets": str(offsets)}
    print_facts("Topics", facts)
    for difference in report.differences:
        out.print(f" [yellow]note:[/] {difference}")


def run(processors: list[str], config: Path, instance: str | None, *, as_json: bool) -> None:
    """Runs until stopped. Raises WorkError naming the processor that failed."""
    for name in processors:
        if name not in PROCESSORS:
            raise UsageError(f"there is no processor {name} (allowed: {', '.join(PROCESSORS)})")
    deployment = Deployment(Configuration.load(config))
    chosen = [name for name in PROCESSORS if name in processors] or list(PROCESSORS)
    runner = Runner(deployment, chosen, instance or default_instance())
    failures = runner.run(started=lambda: logging.getLogger(__name__).info("running: %s", ", ".join(chosen)))
    if as_json:
        counts = {name: worker.counts.messages for name, worker in runner.workers.items()}
        stopped = {topic: why for worker in runner.workers.values() for topic, why in worker.stopped.items()}
        print_json({"messages": counts, "stopped_sources": stopped, "failures": {n: str(e) for n, e in failures.items()}})
    if failures:
        raise WorkError("; ".join(f"{name}: {error}" for name, error in failures.items()))


def publish(folder: Path, config: Path, *, as_json: bool) -> None:
    """Sends a generated folder to the source topics, creating those that are missing."""
    deployment = Deployment(Configuration.load(config))
    configuration = deployment.configuration
    settings = configuration.kafka_settings
    total = sum(read_summary(folder).events.values())
    specs = [
        TopicSpec(topic, configuration.partitions, compacted=False, retention_ms=-1, max_message_bytes=2 * EVENT_BYTES)
        for topic in deployment.source_topics
    ]
    done = 0
    try:
        ensure_topics(settings, specs, "", configuration.replication)
        producer = Producer({"enable.idempotence": True, "linger.ms": 20, **settings, "partitioner": "murmur2_random"})
        with stages(quiet=as_json) as progress, ConfluentRegistry(configuration.registry_settings) as registry:
            encode = SourceEncoder(registry)
            for event in read_folder(folder):
                while True:
                    try:
                        producer.produce(event.topic, encode(event), event.key, timestamp=event.timestamp)
                        break
                    except BufferError:
                        producer.poll(0.1)
                done += 1
                if done % 1_000 == 0:
                    producer.poll(0)
                    progress("publish", done, total)
            progress("publish", total, total)
            left = producer.flush(60)
    except TopicMismatchError as error:
        raise WorkError(str(error)) from error
    except KafkaException as error:
        raise _unreachable(settings, error) from error
    if left:
        raise WorkError(f"{left} of {done} events were not acknowledged within 60 s: is the broker well?")
    if as_json:
        print_json({"events": done})
    else:
        out.print(f" {done:,} events sent. Next:  [bold cyan]singleview run[/]")


def _unreachable(settings: dict[str, str], error: KafkaException) -> WorkError:
    return WorkError(f"Kafka at {settings['bootstrap.servers']}: {error.args[0].str()}")
