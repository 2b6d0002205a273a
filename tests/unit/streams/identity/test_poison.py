"""A message that cannot be processed is undone alone, though the batch shares the rows it has in memory."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from schemas import topics
from streams.engine.contract import Headers, Message
from streams.engine.overlay import Overlay
from streams.identity.processor import IdentityProcessor
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher
from tests.unit.streams.identity.realm import SETTINGS, Realm
from tests.unit.streams.identity.walks import FLAVOURS, Step, history


class PoisonError(Exception):
    """What nobody foresaw."""


class FaultyOutbox(RecordingOutbox):
    """Fails at one of the messages sent."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        if len(self.sent) == self._after:
            raise PoisonError
        super().send(topic, key, value, headers)


class FaultyOverlay(Overlay):
    """Fails at one of the rows written, while armed."""

    __slots__ = ("after", "armed", "failed")

    def __init__(self, rows: MemoryStore, after: int) -> None:
        super().__init__(rows)
        self.after, self.armed, self.failed = after, False, False

    def put(self, key: bytes, value: bytes | None) -> None:
        if self.armed:
            if not self.after:
                self.failed = True
                raise PoisonError
            self.after -= 1
        super().put(key, value)


def messages(steps: list[Step]) -> list[Message]:
    realm = Realm()
    told = [realm.identity(s.record, s.card if s.what == "put" else None) for s in steps if s.what != "regroup"]
    return [message(value, key=b"north", topic=topics.IDENTITY, offset=offset) for offset, value in enumerate(told)]


Said = tuple[str, bytes | None, bytes | None]


def fold(
    batch: list[Message], poisoned: int | None, overlay: Overlay, outbox: Callable[[], RecordingOutbox]
) -> tuple[dict[bytes, bytes | None], list[Said]]:
    """As the runtime folds a batch of which one message fails; without it if `poisoned` is None."""
    processor = IdentityProcessor(FakeMatcher(), SETTINGS)
    processor.prepare(batch, overlay)
    said: list[Said] = []
    for index, each in enumerate(batch):
        overlay.mark()
        out = outbox() if index == poisoned else RecordingOutbox()
        if isinstance(overlay, FaultyOverlay):
            overlay.armed = index == poisoned
        try:
            processor.process(each, overlay, out)
        except PoisonError:
            overlay.undo()
        else:
            said.extend((sent.topic, sent.key, sent.value) for sent in out.sent)
    return dict(overlay.writes), said


def histories() -> list[list[Message]]:
    return [messages(history(FLAVOURS[flavour], seed, 25)) for seed, flavour in enumerate(FLAVOURS)]


@pytest.mark.parametrize("batch", histories(), ids=list(FLAVOURS))
def test_a_message_that_fails_when_it_sends_leaves_nothing_behind(batch: list[Message]) -> None:
    random = Random(1)
    for after in (0, 1, 2):
        poisoned = random.randrange(5, len(batch) - 5)
        with_it = fold(batch, poisoned, Overlay(MemoryStore()), lambda after=after: FaultyOutbox(after))  # type: ignore[misc]
        rest = [each for index, each in enumerate(batch) if index != poisoned]
        without = fold(rest, None, Overlay(MemoryStore()), RecordingOutbox)
        if with_it != fold(batch, None, Overlay(MemoryStore()), RecordingOutbox):  # or it had not so much to send
            assert with_it == without, (after, poisoned)


@pytest.mark.parametrize("batch", histories(), ids=list(FLAVOURS))
def test_a_message_that_fails_when_it_writes_leaves_nothing_behind(batch: list[Message]) -> None:
    random = Random(2)
    failed = 0
    for after in (0, 1, 3, 5):
        poisoned = random.randrange(5, len(batch) - 5)
        overlay = FaultyOverlay(MemoryStore(), after)
        with_it = fold(batch, poisoned, overlay, RecordingOutbox)
        if not overlay.failed:
            continue  # it had not so much to write
        rest = [each for index, each in enumerate(batch) if index != poisoned]
        assert with_it == fold(rest, None, Overlay(MemoryStore()), RecordingOutbox), (after, poisoned)
        failed += 1
    assert failed


def test_a_message_that_fails_in_the_midst_of_comparing_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then the record is filed in the rows in memory, and nothing is written."""
    cards = {f"crm/{n}": Card("poison" if n == 2 else f"ann {n}", values=(("c", "1"), ("b", "1"))) for n in range(5)}
    realm = Realm()
    batch = [
        message(realm.identity(record, card), key=b"north", topic=topics.IDENTITY, offset=offset)
        for offset, (record, card) in enumerate(cards.items())
    ]
    score = FakeMatcher.score

    def faulty(self: FakeMatcher, a: Card, b: Card, generic: frozenset[bytes]) -> int:
        if "poison" in {a.name, b.name}:
            raise PoisonError
        return score(self, a, b, generic)

    monkeypatch.setattr(FakeMatcher, "score", faulty)
    with_it = fold(batch, None, Overlay(MemoryStore()), RecordingOutbox)
    assert with_it == fold(batch[:2] + batch[3:], None, Overlay(MemoryStore()), RecordingOutbox)
    rows, _ = with_it
    assert {row for row in rows if row.startswith(b"north/r/")} == {b"north/r/crm/%d" % n for n in (0, 1, 3, 4)}
