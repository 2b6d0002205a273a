"""`python -m tests.chaos.load BROKERS PREFIX SEED KEYS RATE`: numbers each key's messages, and survives what brokers do.

First one message of every key, so that there is a table to restore; then a steady rate until SIGTERM.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time

from confluent_kafka import KafkaError, Producer

from schemas.topics import TopicNames
from tests.chaos.counting import PARTITIONS, Load

SLICE_SECONDS = 0.05
HOT_SHARE = 0.2  # of the messages go to one key


def main(brokers: str, prefix: str, seed: int, load: Load) -> int:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    chance = random.Random(seed)
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "message.timeout.ms": 0,  # never gives a message up
            "linger.ms": 5,
            "log_level": 0,
        }
    )
    topic = TopicNames(prefix).physical("in")
    numbers: dict[int, int] = {}
    refused: list[str] = []

    def delivered(error: KafkaError | None, message: object) -> None:
        if error is not None:
            refused.append(error.str())

    def send(key: int) -> None:
        numbers[key] = numbers.get(key, 0) + 1
        value = b"%d %d" % (numbers[key], time.time() * 1000)
        producer.produce(topic, value, b"k%d" % key, partition=key % PARTITIONS, on_delivery=delivered)

    for key in range(load.keys):
        send(key)
    producer.flush()
    print("loaded", flush=True)
    while not stopping.wait(SLICE_SECONDS):
        for _ in range(int(load.rate * SLICE_SECONDS)):
            send(0 if chance.random() < HOT_SHARE else chance.randrange(load.keys))
        producer.poll(0)
    left = producer.flush(120)
    print(f"sent {sum(numbers.values())}, not acknowledged {left + len(refused)} {refused[:1]}", flush=True)
    return 1 if left or refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Load(int(sys.argv[4]), int(sys.argv[5]))))
