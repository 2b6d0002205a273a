"""Whether this container can do its work: its configuration is usable, and the brokers and the registry answer.

Exit code 0 or 1, and why on standard error.
"""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.app.config import Configuration

TIMEOUT = 5  # seconds for each answer


def main(path: Path) -> None:
    configuration = Configuration.load(path)
    AdminClient({**configuration.kafka_settings, "log_level": 0}).list_topics(timeout=TIMEOUT)
    with urllib.request.urlopen(f"{configuration.registry_settings['url']}/subjects", timeout=TIMEOUT):  # noqa: S310 - ours
        pass


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (KafkaException, OSError) as error:
        sys.exit(f"unhealthy: {error}")
