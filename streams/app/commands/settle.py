"""`singleview settle`: have everything that waits for something asked for, or tried, now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.logs.embedded import telling
from connectors.logs.topics import partition_counts
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import TICK, Sweep, Tick
from schemas.topics import INBOXES, RECORDS
from streams.app.broker import quiet, reach, unreachable
from streams.app.config import Configuration
from streams.app.console import WorkError, out, print_facts, print_json
from streams.app.demo import demo_deployment
from streams.app.embedded import Pipeline, data_paths
from streams.app.summary import Tables, Waiting, waiting
from streams.app.wiring import Deployment
from streams.engine.outbox import Outgoing

FLUSH_SECONDS = 30.0


def settle(config: Path, data: Path | None, *, every_record: bool, as_json: bool) -> None:
    """On Kafka whoever runs the processors does it; in the data folder of an embedded deployment it is done at once.

    Raises WorkError for a topic that is missing or a broker that does not answer; ConfigurationError, LogError of a folder.
    """
    deployment = Deployment(Configuration.load(config)) if data is None else demo_deployment(data)
    now_ms, left = int(time.time() * 1000), None
    if data_paths(deployment.configuration.data_folder)[0].exists():
        sent, left = _embedded(deployment, now_ms, every_record=every_record)
    else:
        sent = _on_kafka(deployment, now_ms, every_record=every_record)
    if as_json:
        counts = {} if left is None else left._asdict()
        print_json({"partitions": sent, "every_record": every_record, **counts})
        return
    print_facts("Asked", {inbox: f"{count} partitions" for inbox, count in sent.items()})
    if left is None:
        out.print(
            " [dim]Whoever runs the processors does it now. Then singleview_unsettled_customers and"
            " singleview_records_without_customer, also told by `singleview doctor`, go back to what is in passing.[/]"
        )
    else:
        print_facts(
            "Left",
            {
                "customers that are not settled": f"{left.unsettled_customers:,}",
                "records without a customer": f"{left.records_without_customer:,}",
            },
        )


def notes(inbox: str, partitions: int, now_ms: int, *, every_record: bool) -> Iterator[Outgoing]:
    """What is written into the partitions of an inbox."""
    for partition in range(partitions):
        yield Outgoing(inbox, None, TICK.encode(Tick(time=now_ms, everything=True)), (), partition)
        if every_record and inbox == RECORDS:
            yield Outgoing(inbox, None, RECORDS_CODEC.encode(Sweep(time=now_ms, all=True)), (), partition)


def _embedded(deployment: Deployment, now_ms: int, *, every_record: bool) -> tuple[dict[str, int], Waiting]:
    """Sends the notes, and runs the pipeline until nothing is left to do."""
    path, stores = data_paths(deployment.configuration.data_folder)
    with telling(path), Pipeline(deployment) as pipeline:
        log = pipeline.log
        sent = {inbox: log.topic(inbox).partitions for inbox in INBOXES}
        log.begin()
        for inbox, count in sent.items():
            log.append((note, now_ms) for note in notes(inbox, count, now_ms, every_record=every_record))
        log.commit()
        for _ in pipeline.run():
            pass
        pipeline.close_workers()
        with Tables(stores) as tables:
            return sent, waiting(tables)


def _on_kafka(deployment: Deployment, now_ms: int, *, every_record: bool) -> dict[str, int]:
    settings = quiet(deployment.configuration.kafka_settings)
    reach(settings)
    physical = {inbox: deployment.names.physical(inbox) for inbox in INBOXES}
    try:
        counts = partition_counts(settings, list(physical.values()))
        for topic in physical.values():
            if topic not in counts:
                raise WorkError(f"{topic} does not exist: run `singleview init` first")
        sent = {inbox: counts[topic] for inbox, topic in physical.items()}
        _produce(settings, sent, physical, now_ms, every_record=every_record)
    except KafkaException as error:
        raise unreachable(settings, error.args[0].str()) from error
    return sent


def _produce(
    settings: dict[str, str], partitions: dict[str, int], physical: dict[str, str], now_ms: int, *, every_record: bool
) -> None:
    refused: list[str] = []

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            refused.append(error.str())

    producer = Producer({"enable.idempotence": True, **settings})
    for inbox, count in partitions.items():
        for note in notes(inbox, count, now_ms, every_record=every_record):
            assert note.partition is not None
            producer.produce(physical[inbox], note.value, None, note.partition, on_delivery=delivered)
    if left := producer.flush(FLUSH_SECONDS) or len(refused):
        raise WorkError(f"{left} messages were not acknowledged ({refused[0] if refused else 'is the broker well?'})")
