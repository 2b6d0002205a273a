"""Whether a part answers, asked by its own protocol."""

from __future__ import annotations

import urllib.error
import urllib.request

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def kafka_answers(address: str, brokers: int = 1) -> bool:
    """Whether the cluster at `address` knows at least so many live brokers. Takes up to a second to say no."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0, "reconnect.backoff.max.ms": 200})
    try:
        return len(admin.list_topics(timeout=1).brokers) >= brokers
    except KafkaException:
        return False


def http_answers(url: str) -> bool:
    """Whether a GET of `url` succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
