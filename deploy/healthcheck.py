"""Whether the processors in this container are alive: every process of `singleview run` says so at its /live.

`healthcheck.py CONFIGURATION [INSTANCE]`: exit code 0 or 1, and why on standard error. If not given, the instance is named
after the host, as for `run`. Without `observe:` in the configuration there are no endpoints: then only the brokers and the
registry are asked whether they answer.
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
from streams.app.endpoints import ailing, endpoints_file
from streams.app.run import default_instance

TIMEOUT = 3  # seconds for each answer


def main(path: Path, instance: str) -> list[str]:
    """What is wrong."""
    configuration = Configuration.load(path)
    if configuration.observe is None:
        _ask_around(configuration)
        return []
    try:
        return ailing(endpoints_file(configuration.data_folder, instance), TIMEOUT)
    except FileNotFoundError:
        return [f"no processors run as instance {instance}"]


def _ask_around(configuration: Configuration) -> None:
    AdminClient({**configuration.kafka_settings, "log_level": 0}).list_topics(timeout=TIMEOUT)
    settings: dict[str, str | int | float] = {**configuration.registry_settings, "timeout": TIMEOUT, "max.retries": 0}
    with ConfluentRegistry(settings) as registry, suppress(UnknownSchemaError):  # a new registry has no schema yet
        registry.schema(1)


if __name__ == "__main__":
    try:
        wrong = main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else default_instance())
    except (ConfigurationError, DocumentError, KafkaException, RegistryError, OSError) as error:
        wrong = str(error).splitlines()  # one line, however many mistakes
    if wrong:
        sys.exit(f"unhealthy: {'; '.join(wrong)}")
