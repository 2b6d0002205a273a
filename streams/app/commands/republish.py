"""`singleview republish`."""

from __future__ import annotations

from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.logs.topics import partition_counts
from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import Republish
from schemas.topics import CUSTOMER_VIEW, CUSTOMERS
from streams.app.broker import quiet, reach, unreachable
from streams.app.config import Configuration
from streams.app.console import WorkError, out, print_json
from streams.app.demo import demo_deployment
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment

FLUSH_SECONDS = 30.0


def republish(config: Path, data: Path | None, *, as_json: bool) -> None:
    """Has every view published again as it was last. On Kafka by whoever runs `customers`; embedded before it returns.

    Raises WorkError for a topic that is missing or a broker that does not answer; ConfigurationError, LogError of a folder.
    """
    partitions = _on_kafka(Deployment(Configuration.load(config))) if data is None else _embedded(demo_deployment(data))
    if as_json:
        print_json({"partitions": partitions})
    elif data is None:
        out.print(f" {partitions} partitions are asked: `customers` publishes their views again, beside its other work.")
    else:
        out.print(" Every view is published again.")


def _embedded(deployment: Deployment) -> int:
    with Pipeline(deployment) as pipeline:
        pipeline.republish()
        for _ in pipeline.run():
            pass
        return pipeline.log.topic(CUSTOMERS).partitions


def _on_kafka(deployment: Deployment) -> int:
    settings = quiet(deployment.configuration.kafka_settings)
    reach(settings)
    view, inbox = deployment.names.physical(CUSTOMER_VIEW), deployment.names.physical(CUSTOMERS)
    try:
        counts = partition_counts(settings, [view, inbox])
        for topic in (view, inbox):
            if topic not in counts:
                raise WorkError(f"{topic} does not exist: run `singleview init` first")
        _ask(settings, inbox, counts[inbox])
    except KafkaException as error:
        raise unreachable(settings, error.args[0].str()) from error
    return counts[inbox]


def _ask(settings: dict[str, str], inbox: str, partitions: int) -> None:
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: object) -> None:  # noqa: ARG001 - the client's signature
        if error is not None:
            failed.append(error)

    producer = Producer({"acks": "all", **settings})
    for partition in range(partitions):
        producer.produce(inbox, CUSTOMERS_CODEC.encode(Republish()), partition=partition, on_delivery=delivered)
    if producer.flush(FLUSH_SECONDS) or failed:
        raise WorkError(f"{inbox} was not written: {failed[0].str() if failed else 'no answer in time'}")
