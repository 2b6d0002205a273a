"""Publishes source events steadily from a thread, whatever the broker goes through, and knows when each was sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from connectors.simulated import SourceEvent

TICK_SECONDS = 0.02
FLUSH_SECONDS = 60.0


class Publisher:
    """As fast as it was told: not at all at first. Events of one key stay in order."""

    def __init__(self, brokers: str, events: Sequence[tuple[SourceEvent, bytes | None]]) -> None:
        self.sent_at: dict[str, float] = {}  # topic/partition/offset -> when it was given to the client, epoch seconds
        self.refused: list[str] = []
        self._events = events
        self._done = 0
        self._rate = 0.0  # events a second
        self._finishing = threading.Event()
        self._settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def left(self) -> int:
        return len(self._events) - self._done

    def spread(self, seconds: float) -> None:
        """What is left is sent within so many seconds from now."""
        self._rate = self.left / seconds

    def finish(self) -> None:
        """Sends what is left at once, and waits for the broker."""
        self._finishing.set()
        self._thread.join()

    def _run(self) -> None:
        producer = Producer(self._settings)
        owed, last = 0.0, time.monotonic()
        while self.left and not self._finishing.is_set():
            now = time.monotonic()
            owed, last = min(owed + (now - last) * self._rate, 50.0), now
            while owed >= 1 and self.left:
                self._send(producer)
                owed -= 1
            producer.poll(TICK_SECONDS)
        while self.left:
            self._send(producer)
        unsent = producer.flush(FLUSH_SECONDS)
        if unsent:
            self.refused.append(f"{unsent} were not acknowledged")

    def _send(self, producer: Producer) -> None:
        event, value = self._events[self._done]
        sent = time.time()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.refused.append(error.str())
            else:
                self.sent_at[f"{message.topic()}/{message.partition()}/{message.offset()}"] = sent

        producer.produce(event.topic, value, event.key, timestamp=event.timestamp, on_delivery=delivered)
        self._done += 1
