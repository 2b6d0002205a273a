"""`python -m tests.chaos.verify BROKERS PREFIX FOLDER`: reads what a subscriber sees, and notes what must not be.

It knows nothing of the engine: a plain read-committed consumer. Per key, versions go up by one, each for the next message
of the load generator.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from schemas.topics import TopicNames
from tests.chaos.counting import PARTITIONS, Counted, Folders

SAMPLE_MS = 50


def main(brokers: str, prefix: str, folder: Path) -> int:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    topic = TopicNames(prefix).physical("out")
    settings: dict[str, Any] = {
        "bootstrap.servers": brokers,
        "group.id": prefix + "verify",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 20,
        "log_level": 0,
    }
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    versions: dict[bytes, int] = {}
    sampled = [0] * PARTITIONS
    with Folders(folder).arrivals.open("w", buffering=1) as arrivals, Folders(folder).violations.open("w", 1) as violations:
        while not stopping.is_set():
            for message in consumer.consume(5_000, 0.02):
                if message.error():
                    continue
                key, found = message.key() or b"", Counted.decode(message.value() or b"")
                expected = versions.get(key, 0) + 1
                if found.version != expected or found.number != expected:
                    violations.write(f"{key.decode()}: {found} at {message.offset()}, version {expected} was due\n")
                versions[key] = max(found.version, expected)
                now = int(time.time() * 1000)
                if now - sampled[found.partition] >= SAMPLE_MS:
                    sampled[found.partition] = now
                    arrivals.write(f"{found.partition} {found.sent_ms} {now}\n")
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
