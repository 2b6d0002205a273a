"""A partition whose next message needs something that is away waits alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedLog, EmbeddedSession
from schemas.topics import DEAD_LETTERS, TopicSpec
from streams.engine.contract import Message, Outbox, Store, TransientError
from streams.engine.outbox import Outgoing
from streams.engine.runtime import Limits, Worker

TOPICS = [
    TopicSpec(name, 1, compacted=False, retention_ms=-1, max_message_bytes=1000)
    for name in ("plain", "avro", "out", DEAD_LETTERS)
]


class Needy:
    """Sends each message on; those that say so need a registry."""

    name = "needy"

    def __init__(self) -> None:
        self.away = True
        self.asked = 0

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        assert message.value is not None
        out.send("out", None, message.value)
        if message.value.startswith(b"needs"):
            self.asked += 1
            if self.away:
                raise TransientError("the registry is away")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_others_go_on_while_a_partition_waits_and_nothing_is_lost_or_doubled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = EmbeddedLog(tmp_path / "log.db")
    log.create(TOPICS)
    processor, clock = Needy(), Clock()
    session = EmbeddedSession(log, "needy", ["plain", "avro"])
    worker = Worker(processor, session, None, limits=Limits(messages=3, retry_seconds=1.0), clock=clock, rest=lambda _: None)

    def feed(topic: str, *values: bytes) -> None:
        log.begin()
        log.append((Outgoing(topic, None, value), 0) for value in values)
        log.commit()

    def run() -> list[bytes]:
        for _ in range(8):
            worker.step(0)
        return sorted(message.value or b"" for message in log.messages("out"))

    feed("avro", b"a1", b"needs-a2", b"a3", b"a4", b"a5")
    feed("plain", b"p1", b"p2", b"p3")
    assert run() == [b"a1", b"p1", b"p2", b"p3"]
    assert worker.waiting == {"avro/0": "waits: the registry is away"}
    assert worker.trouble == ""
    asked = processor.asked
    feed("plain", b"p4")
    run()
    assert processor.asked == asked  # its pause is not over
    for _ in range(20):
        clock.now += 1.0
        run()
    assert 3 < processor.asked - asked < 8  # pauses grow to five seconds
    assert [line for line in caplog.messages if "waits" in line] == ["needy: avro/0 waits at offset 1: the registry is away"]
    processor.away = False
    clock.now += 5.0
    assert run() == [b"a1", b"a3", b"a4", b"a5", b"needs-a2", b"p1", b"p2", b"p3", b"p4"]
    assert worker.waiting == {}
    worker.close()
    log.close()
