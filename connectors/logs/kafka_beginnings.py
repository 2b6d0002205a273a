"""Where a session begins each partition: the committed offset, compared with what there is; and what cannot be begun."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition

from connectors.logs.kafka_begin import Begin, LostError, Mark, Position, begin, mark_of
from connectors.logs.kafka_client import REQUEST_SECONDS, Connection, unanswered
from connectors.logs.kafka_sources import SourceTopics
from connectors.logs.skips import GivenUp
from streams.engine.log import Inbox, LogError, UnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")

NOWHERE = -1
"""Where to begin a partition without a committed offset, until that is found."""


class Asking(Protocol):
    """Makes a request. Raises UnavailableError if it may be made again, LogError if that is of no use."""

    def __call__(self, what: str, ask: Callable[[], T]) -> T: ...


class Beginnings:
    """Belongs to the session's thread."""

    def __init__(
        self,
        connection: Connection,
        processor: str,
        logical: Mapping[str, str],
        sources: SourceTopics | None,
        epochs: Mapping[str, int],
        *,
        consumer: Callable[[], Consumer],
        asking: Asking,
    ) -> None:
        """`logical`: names of the topics by their full ones. `sources`: given if they are others'; then a partition without
        a committed offset is begun at its first message. `epochs`: of those whose events the log orders, by logical name."""
        self.impossible: dict[Inbox, str] = {}  # ours, but cannot be begun, and why
        self.read_again: Counter[str] = Counter()
        self._names = connection.names
        self._processor = processor
        self._logical = logical
        self._sources = sources
        self._epochs = epochs
        self._consumer = consumer
        self._asking = asking
        self._given_up = GivenUp(connection.common, connection.names.prefix + processor)
        self._committed: dict[Inbox, int] = {}  # found, and not begun at yet
        self._marks: dict[Inbox, Mark | None] = {}  # committed with those
        self._read_as: dict[Inbox, Mark] = {}  # source topics as they were when a partition was begun
        self._beyond: set[Inbox] = set()  # committed offsets that were past the end at the last look
        self._said: dict[Inbox, str] = {}  # what the log was told of the impossible

    def unread(self) -> Mapping[str, str]:
        """What is not read, by `topic` or `topic/partition`, and why."""
        topics = (
            {self._logical[topic]: f"it {why}" for topic, why in self._sources.troubles.items()} if self._sources else {}
        )
        return topics | {f"{inbox.topic}/{inbox.partition}": why for inbox, why in sorted(self.impossible.items())}

    def mark(self, inbox: Inbox) -> Mark | None:
        """What goes with an offset of this partition."""
        return self._read_as.get(inbox)

    def note(self, inbox: Inbox) -> str:
        """What was committed with the offset of one that was located; empty if that was of another topic."""
        mark = self._marks.get(inbox)
        return mark.note if mark and not self._is_of_another(inbox) else ""

    def drop(self, inbox: Inbox) -> None:
        """It is to be located anew before it is begun."""
        self._committed.pop(inbox, None)
        self.impossible.pop(inbox, None)

    def clear(self) -> None:
        """All are to be located anew."""
        self._committed.clear()

    def forget(self, inbox: Inbox) -> None:
        """It is no longer ours."""
        self.drop(inbox)
        self._said.pop(inbox, None)

    def is_located(self, inbox: Inbox) -> bool:
        return inbox in self._committed

    def locate(self, inboxes: Collection[Inbox]) -> None:
        """Finds the stable committed offsets: open transactions of a former owner end first."""
        wanted = [self._partition(inbox) for inbox in inboxes]
        what = f"committed offsets of {self._processor}"
        for found in self._asking(what, lambda: self._consumer().committed(wanted, REQUEST_SECONDS)):
            if found.error:
                raise unanswered(f"{what} in {found.topic}/{found.partition}", found.error)
            if found.offset < 0 and not self._sources:
                raise LogError(f"{found.topic}/{found.partition} has no committed offset: run `singleview init` first")
            inbox = Inbox(self._logical[found.topic], found.partition)
            self._marks[inbox] = mark_of(found.metadata)
            self._committed[inbox] = found.offset if found.offset >= 0 else NOWHERE

    def committed(self, inbox: Inbox) -> int:
        """Of one that is located; negative if there is none."""
        return self._committed[inbox]

    def start_again(self, inbox: Inbox) -> int | None:
        """As `start`, for one that is being read: what there is is not asked for without need."""
        if self._committed[inbox] == NOWHERE or self._is_of_another(inbox):
            return self.start(inbox)
        return self._committed.pop(inbox)

    def start(self, inbox: Inbox) -> int | None:
        """Where to begin one that is located, by what there is. None, with the reason in `impossible`, if it cannot be."""
        try:
            start = self._start(inbox, self._committed[inbox])
        except LostError as lost:
            self._cannot(inbox, str(lost))
            start = None
        self._committed.pop(inbox)
        return start

    def _start(self, inbox: Inbox, committed: int) -> int:
        try:
            first, end = self._range(inbox)
        except UnavailableError as away:
            if self._sources and (committed == NOWHERE or self._is_of_another(inbox)):
                raise LostError(str(away)) from away  # looked at again soon; others need not wait for its broker
            if committed == NOWHERE:
                raise
            found = Begin(committed)  # the client begins when the broker is back
        else:
            if committed > end and inbox not in self._beyond:  # a new leader may not know yet how far its partition goes
                self._beyond.add(inbox)
                raise LostError(f"{self._place(inbox)} ends at offset {end}, before the committed {committed}")
            found = self._begin(self._position(inbox, committed, first, end))
        self._beyond.discard(inbox)
        self._say(inbox, found)
        return found.offset

    def _position(self, inbox: Inbox, committed: int, first: int, end: int) -> Position:
        mark, now = self._marks.get(inbox), self._mark_now(inbox)
        forgotten = committed == NOWHERE and inbox in self._read_as
        if now and (forgotten or self._is_of_another(inbox)):
            self._learn([inbox])  # it may be this process that does not know the newest
            now = self._mark_now(inbox)
        if committed == NOWHERE:
            committed, mark = first, self._remembered(inbox, now, first)
        place, source = self._place(inbox), self._sources is not None
        return Position(place, source, committed, mark, now, inbox.topic in self._epochs, first, end)

    def _remembered(self, inbox: Inbox, now: Mark | None, first: int) -> Mark | None:
        """Brokers forget the offsets of a topic that is deleted. What was read of it is committed once more, for whoever
        comes next, if it matters."""
        known = self._read_as.get(inbox)
        if known and now and known.topic_id != now.topic_id and inbox.topic in self._epochs:
            partition = self._partition(inbox, first, known.text())
            self._asking("mark of a source topic", lambda: self._consumer().commit(offsets=[partition], asynchronous=False))
        return known

    def _begin(self, at: Position) -> Begin:
        try:
            return begin(at)
        except LostError:
            topic, _, partition = at.place.rpartition("/")
            lost = TopicPartition(topic, int(partition))
            what = f"what is given up in {at.place}"
            told = self._asking(what, lambda: self._given_up.behind(lost, REQUEST_SECONDS))
            return begin(at._replace(given_up=told))

    def _say(self, inbox: Inbox, found: Begin) -> None:
        self.impossible.pop(inbox, None)
        if self._said.pop(inbox, ""):
            log.info("%s: %s is read again, from offset %d", self._processor, self._place(inbox), found.offset)
        before, now = self._read_as.get(inbox), self._mark_now(inbox)
        if now:
            self._read_as[inbox] = now
        if found.note and not (found.again and now and before == now):  # nothing of the new topic was committed yet
            log.warning("%s: %s", self._processor, found.note)
            if found.again:
                self.read_again[inbox.topic] += 1

    # -- what goes with the offsets of a source --

    def _mark_now(self, inbox: Inbox) -> Mark | None:
        """Of a source topic whose id is known."""
        if not self._sources:
            return None
        if not self._sources.id_of(self._names.physical(inbox.topic)):
            self._learn(self._marks)
        topic_id = self._sources.id_of(self._names.physical(inbox.topic))
        return Mark(topic_id, self._epochs.get(inbox.topic, 0)) if topic_id else None

    def _is_of_another(self, inbox: Inbox) -> bool:
        """Whether its committed offset is one of another topic of that name."""
        mark, now = self._marks.get(inbox), self._mark_now(inbox)
        return bool(mark and now and mark.topic_id != now.topic_id)

    def _learn(self, inboxes: Collection[Inbox]) -> None:
        if self._sources:
            self._sources.learn({self._names.physical(inbox.topic) for inbox in inboxes})

    def _range(self, inbox: Inbox) -> tuple[int, int]:
        """The first offset there is, and one past the last."""
        partition = self._partition(inbox)
        what = f"offsets of {self._place(inbox)}"
        found = self._asking(what, lambda: self._consumer().get_watermark_offsets(partition, REQUEST_SECONDS))
        assert found is not None  # it raises when it does not know
        return found

    def _place(self, inbox: Inbox) -> str:
        return f"{self._names.physical(inbox.topic)}/{inbox.partition}"

    def _partition(self, inbox: Inbox, offset: int = OFFSET_INVALID, metadata: str = "") -> TopicPartition:
        return TopicPartition(self._names.physical(inbox.topic), inbox.partition, offset, metadata)

    def _cannot(self, inbox: Inbox, why: str) -> None:
        if self._said.get(inbox) != why:
            self._said[inbox] = why
            log.error("%s: stopped reading: %s", self._processor, why)
        self.impossible[inbox] = why
