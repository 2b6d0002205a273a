"""Fakes at the ports, for unit tests of the pure core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.messages import TICK, Tick
from streams.engine.contract import Headers, Message


@dataclass
class MemoryStore:
    """A store that is a dict."""

    rows: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def load(self, keys: Iterable[bytes]) -> None: ...

    def put(self, key: bytes, value: bytes) -> None:
        self.rows[key] = value

    def delete(self, key: bytes) -> None:
        self.rows.pop(key, None)

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.rows):
            if key.startswith(prefix) and (after is None or key > after):
                yield key, self.rows[key]


@dataclass
class Sent:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass
class RecordingOutbox:
    """An outbox that remembers what was sent, in order; `latest` values are encoded at once."""

    sent: list[Sent] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # reason and detail

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        self.sent.append(Sent(topic, key, value, headers))

    def send_to(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        self.sent.append(Sent(topic, key, value, (), partition))

    def latest(self, topic: str, key: bytes, value: Callable[[], bytes] | None, headers: Headers = ()) -> None:
        self.sent.append(Sent(topic, key, value() if value else None, headers))

    def refuse(self, reason: str, detail: str) -> None:
        self.refused.append((reason, detail))

    def on(self, topic: str) -> list[Sent]:
        return [s for s in self.sent if s.topic == topic]

    def take(self) -> list[Sent]:
        """Everything sent since the last take."""
        taken, self.sent = self.sent, []
        return taken


def tick(time: int, topic: str = "test", *, everything: bool = False) -> Message:
    """A tick as the engine writes it, or an operator (`everything`)."""
    return message(TICK.encode(Tick(time=time, everything=everything)), topic=topic, timestamp=time)


def message(
    value: bytes | None,
    key: bytes | None = None,
    topic: str = "test",
    partition: int = 0,
    offset: int = 0,
    timestamp: int = 1_800_000_000_000,
    headers: Headers = (),
) -> Message:
    return Message(topic, partition, offset, key, value, headers, timestamp)
