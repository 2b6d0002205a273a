"""intake: source events in, canonical changes out (eTOM 1.3.16.3 capture).

Inbox: the source topics, however they are partitioned. No store: the little it remembers goes with the offsets.
Emits `SourceChange` to `records`, keyed by record.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple, Protocol

from schemas.canonical import realm_of
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import SourceChange
from schemas.topics import RECORDS
from streams.engine.contract import Message, Outbox, RejectedError, SourceStoppedError, Store

log = logging.getLogger(__name__)

LARGEST_CHANGE_BYTES = 2 << 20
"""Of an encoded change. Mappings read events of up to 1 MB and keep raw values beside the others, which doubles it at most,
unless one value is copied into each of a thousand elements. The record's row and what its customer is told of it are larger
by little: so all of them are far below what the log takes as one message."""

LARGEST_MESSAGE_BYTES = 16 << 20
"""Of all changes of one message together: as much as a batch may read."""

MOST_DETAIL = 2_000
"""Characters about refused rows in a dead letter."""


class Unread(Protocol):
    """An attribute of an event that cannot be read."""

    @property
    def source(self) -> str: ...

    @property
    def attribute(self) -> str: ...

    @property
    def detail(self) -> str:
        """What and where; no value."""
        ...


class Reading(Protocol):
    """What a message brings."""

    @property
    def changes(self) -> Sequence[SourceChange]: ...

    @property
    def refused(self) -> Sequence[RejectedError]:
        """Rows of the message that cannot be mapped, beside others that can."""
        ...

    @property
    def rows(self) -> bool:
        """It is an event of several rows, each of which stands for itself."""
        ...

    @property
    def empty(self) -> bool:
        """It has none of the paths its mapping reads attributes from."""
        ...

    @property
    def whole(self) -> bool:
        """It is a snapshot, not a patch."""
        ...

    @property
    def unread(self) -> Sequence[Unread]:
        """The attributes that stay as they were, because what the event says of them cannot be read."""
        ...


class Reader(Protocol):
    """A source's decoder and mapping. It may remember what earlier messages had; so a batch is announced to it."""

    def begin(self, message: Message) -> None:
        """A batch of a partition begins with this message: all before it is committed."""
        ...

    def recall(self, topic: str, partition: int, note: str) -> None:
        """A partition is read from here on, after messages of which `remember` gave the note."""
        ...

    def remember(self, topic: str, partition: int, offset: int) -> str:
        """What matters later of the messages before an offset; see `streams.engine.contract.Remembering`."""
        ...

    def read(self, message: Message) -> Reading:
        """The same for a message that is read again after its batch was undone. Raises RejectedError, or TransientError."""
        ...

    @property
    def absent(self) -> Mapping[tuple[str, str], int]:
        """(topic, path) that no event has lately, and how many events lacked it since."""
        ...


class StopRule(NamedTuple):
    """When a source is stopped rather than drained into the dead letters."""

    share: float = 0.5  # of dead letters among the last `window` events
    window: int = 200
    least: int = 50  # events seen before the share means anything


class _Fate(Enum):
    """What became of an event."""

    FINE = auto()
    DEAD = auto()
    EMPTY = auto()  # a snapshot with none of the mapped paths
    EMPTY_PATCH = auto()  # a patch with none of them: often it changed what is not mapped


class Intake:
    """Maps every source event to canonical changes."""

    name = "intake"

    def __init__(self, readers: Mapping[str, Reader], realms: Collection[str], stop: StopRule = StopRule()) -> None:  # noqa: B008
        """`readers`: by source topic."""
        self._readers = readers
        self._realms = frozenset(realms)
        self._stop = stop
        self._recent = {topic: _Recent(stop) for topic in readers}
        self.unread: Counter[tuple[str, str]] = Counter()
        """By source and attribute: the values that could not be read, each counted once."""

    @property
    def unmapped(self) -> Mapping[str, int]:
        """By topic: the events with none of the paths that their mapping reads attributes from, each counted once."""
        return {topic: recent.empty for topic, recent in self._recent.items() if recent.empty}

    @property
    def absent(self) -> Collection[tuple[str, str]]:
        """(topic, path): mapped paths that no event has lately."""
        return {place for reader in set(self._readers.values()) for place in reader.absent}

    def recall(self, topic: str, partition: int, note: str) -> None:
        """See `Remembering`: which paths the events had lately decides what an absent one means."""
        if (reader := self._readers.get(topic)) is not None:
            reader.recall(topic, partition, note)

    def remember(self, topic: str, partition: int, offset: int) -> str:
        """See `Remembering`."""
        reader = self._readers.get(topic)
        return reader.remember(topic, partition, offset) if reader else ""

    def prepare(self, batch: Sequence[Message], store: Store) -> None:  # noqa: ARG002
        """Nothing to prefetch."""
        if batch and (reader := self._readers.get(batch[0].topic)) is not None:
            reader.begin(batch[0])

    def process(self, message: Message, store: Store, out: Outbox) -> None:  # noqa: ARG002
        reader = self._readers.get(message.topic)
        if reader is None:
            raise RejectedError("unknown-source", f"no mapping reads topic {message.topic}")
        recent = self._recent[message.topic]
        new = recent.is_new(message)
        try:
            reading = reader.read(message)
            encoded, refused = self._encoded(reading)
        except RejectedError as rejected:
            self._stop_if(recent.stops(message, _Fate.DEAD), recent, rejected)
            raise
        if refused:
            summary = _summary(refused)
            self._stop_if(recent.stops(message, _Fate.DEAD), recent, summary)
            out.refuse(summary.reason, summary.detail)
        elif reading.empty:
            self._stop_if_empty(recent.stops(message, _Fate.EMPTY if reading.whole else _Fate.EMPTY_PATCH), recent)
        else:
            recent.stops(message, _Fate.FINE)
        if reading.unread and new:
            self._count_unread(reading.unread)
        for record, change in encoded:
            out.send(RECORDS, record, change)

    def _count_unread(self, unread: Sequence[Unread]) -> None:
        for each in unread:
            place = (each.source, each.attribute)
            if place not in self.unread:
                log.warning("%s: it stays as it was. Counted from now on (singleview_unread_values_total)", each.detail)
            self.unread[place] += 1

    def _encoded(self, reading: Reading) -> tuple[list[tuple[bytes, bytes]], list[RejectedError]]:
        """The changes to send, and what of the message is refused beside them. Raises the only refusal there is."""
        refused, changes = list(reading.refused), self._ours(reading)
        encoded = []
        for change in changes:
            try:
                encoded.append((change.record.encode(), self._encode(change)))
            except RejectedError as rejected:
                if not reading.rows:
                    raise
                refused.append(rejected)
        if refused and not encoded:
            raise _summary(refused)
        if reading.rows and sum(len(change) for _, change in encoded) > LARGEST_MESSAGE_BYTES:
            raise RejectedError(
                "too-large", f"the changes of its rows have more than {LARGEST_MESSAGE_BYTES:,} bytes together"
            )
        return encoded, refused

    def _stop_if(self, stops: bool, recent: _Recent, rejected: RejectedError) -> None:
        if stops:
            raise SourceStoppedError(
                f"more than {self._stop.share:.0%} of the last {recent.seen} events were dead letters"
                f" (latest: {rejected.reason}: {rejected.detail}). Correct the mapping or the source, then start again"
            ) from rejected

    def _stop_if_empty(self, stops: bool, recent: _Recent) -> None:
        if stops:
            raise SourceStoppedError(
                f"most of the last {recent.seen} events have none of the paths that their mapping reads attributes from:"
                " it is another topic's mapping, or the source has changed its events. Correct the mapping (singleview check"
                " tells which paths it finds), then start again"
            )

    def _ours(self, reading: Reading) -> Sequence[SourceChange]:
        """All that matters: what left a realm that is not ours was never taken in, so there is nothing of it to delete.

        The last change is what the event's record is now.
        """
        changes = reading.changes
        if len(changes) < 2 or reading.rows:
            return changes
        return [*(change for change in changes[:-1] if realm_of(change.record) in self._realms), changes[-1]]

    def _encode(self, change: SourceChange) -> bytes:
        if realm_of(change.record) not in self._realms:
            raise RejectedError("unknown-realm", f"the event's realm is not one of: {', '.join(sorted(self._realms))}")
        encoded = RECORDS_CODEC.encode(change)
        if len(encoded) > LARGEST_CHANGE_BYTES:
            raise RejectedError(
                "too-large",
                f"the mapping makes a {change.operation} of {len(encoded):,} bytes of the event, more than the"
                f" {LARGEST_CHANGE_BYTES:,} allowed: does it copy a long value into each element of a list?",
            )
        return encoded


def _summary(refused: Sequence[RejectedError]) -> RejectedError:
    """All refusals of a message as one, with the reason of the first."""
    detail = "; ".join(each.detail if each is refused[0] else f"{each.reason}: {each.detail}" for each in refused)
    if len(detail) > MOST_DETAIL:
        detail = f"{detail[:MOST_DETAIL]}... ({len(refused)} refusals)"
    return RejectedError(refused[0].reason, detail)


class _Recent:
    """The fate of the latest events of one topic, each counted once however often its batch is done again."""

    def __init__(self, rule: StopRule) -> None:
        self.empty = 0  # events with none of the mapped paths, since the start
        self._rule = rule
        self._fates: deque[_Fate] = deque(maxlen=rule.window)
        self._counts = dict.fromkeys(_Fate, 0)
        self._counted: dict[int, int] = {}  # by partition: the latest offset

    @property
    def seen(self) -> int:
        return len(self._fates)

    def stops(self, message: Message, fate: _Fate) -> bool:
        """Notes what became of a message; True if the source must stop before it.

        Patches with nothing mapped stop it only if there is nothing else: a source may mostly change what is not mapped.
        """
        self._note(message, fate)
        seen, counts = len(self._fates), self._counts
        if fate is _Fate.FINE or seen < self._rule.least:
            return False
        if fate is _Fate.EMPTY_PATCH:
            return seen == self._rule.window == counts[_Fate.EMPTY] + counts[_Fate.EMPTY_PATCH]
        return counts[fate] > self._rule.share * seen

    def is_new(self, message: Message) -> bool:
        """Whether it was not noted before."""
        return message.offset > self._counted.get(message.partition, -1)

    def _note(self, message: Message, fate: _Fate) -> None:
        if not self.is_new(message):
            return
        self._counted[message.partition] = message.offset
        self.empty += fate in (_Fate.EMPTY, _Fate.EMPTY_PATCH)
        if len(self._fates) == self._rule.window:
            self._counts[self._fates[0]] -= 1
        self._fates.append(fate)
        self._counts[fate] += 1
