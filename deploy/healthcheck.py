"""Whether this container can do its work: its configuration is usable, and the brokers and the registry answer.

`healthcheck.py CONFIGURATION`: exit code 0 or 1, and why on standard error.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connectors.registry import ConfluentRegistry
from schemas.documents import DocumentError
from schemas.registry import RegistryError, UnknownSchemaError
from streams.app.config import Configuration, ConfigurationError

TIMEOUT = 5  # seconds for each answer


def main(path: Path) -> None:
    configuration = Configuration.load(path)
    AdminClient({**configuration.kafka_settings, "log_level": 0}).list_topics(timeout=TIMEOUT)
    settings: dict[str, str | int | float] = {**configuration.registry_settings, "timeout": TIMEOUT, "max.retries": 0}
    with ConfluentRegistry(settings) as registry, suppress(UnknownSchemaError):  # a new registry has no schema yet
        registry.schema(1)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (ConfigurationError, DocumentError, KafkaException, RegistryError) as error:
        sys.exit(f"unhealthy: {'; '.join(str(error).splitlines())}")  # one line, however many mistakes
