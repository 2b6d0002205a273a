"""A processor without a store that goes by what it has read: on the embedded log, with crashes and batches given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.logs.embedded import EmbeddedLog, EmbeddedSession
from schemas.topics import TopicSpec
from streams.engine.outbox import Outgoing
from streams.engine.runtime import Limits, Worker
from tests.numbers import Numbers

MESSAGES = 30


class KilledError(BaseException):
    """The process is gone."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path / "log.db")
    log.create(TopicSpec(name, 1, False, -1, 1_000_000) for name in ("in", "out", "dead-letters"))
    log.begin()
    log.append((Outgoing("in", b"k", b"v"), 0) for _ in range(MESSAGES))
    log.commit()
    yield log
    log.close()


def work(log: EmbeddedLog, processor: Numbers, kill_at: tuple[int, int] = (0, 0), batch: int = 7) -> None:
    """Runs to the end, or is killed at a step of a batch, both counted from one."""
    batches = 0

    def at(step: int) -> None:
        nonlocal batches
        batches += step == 1
        if (batches, step) == kill_at:
            raise KilledError

    session = EmbeddedSession(log, "numbers", ["in"])
    worker = Worker(processor, session, None, limits=Limits(messages=batch), at=at, rest=lambda seconds: None)
    while log.offset("numbers", log.topic("in"), 0) < MESSAGES:
        worker.step(0)


def numbers(log: EmbeddedLog) -> list[int]:
    return [int(message.value or b"") for message in log.messages("out")]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_what_is_remembered_is_committed_with_the_offsets_whatever_dies_when(
    log: EmbeddedLog, batch: int, step: int
) -> None:
    with pytest.raises(KilledError):
        work(log, Numbers(), kill_at=(batch, step))

    work(log, Numbers())

    assert numbers(log) == list(range(MESSAGES))


def test_a_batch_that_is_given_back_after_it_was_read_leaves_nothing_to_remember(log: EmbeddedLog) -> None:
    processor = Numbers(fails_at=5)
    with pytest.raises(KilledError):
        work(log, processor, kill_at=(3, 1))  # the first was given back at its sixth message, the second committed

    work(log, Numbers(), batch=3)

    assert numbers(log) == list(range(MESSAGES))


def test_offsets_that_were_set_by_hand_have_nothing_to_remember(log: EmbeddedLog) -> None:
    work(log, Numbers())
    log.begin()
    log.set_offset("numbers", log.topic("in"), 0, 10)
    log.commit()

    work(log, Numbers())

    assert numbers(log)[MESSAGES:] == list(range(MESSAGES - 10))
