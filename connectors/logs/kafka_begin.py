"""Where a partition is begun, by what was committed and what there is; or why it cannot be.

With the offsets of a source topic goes a mark: the topic's id and the mapping's epoch. So whoever reads on, in whatever
process, sees that a topic was deleted and made anew, and that the offsets are those of another.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

SKIP = "singleview init --skip-lost"


class Mark(msgspec.Struct, frozen=True):
    """Committed with an offset, as its metadata: JSON that Kafka's own tools show."""

    topic_id: str
    epoch: int = 0  # of the mapping, where the log orders its events; see docs/mappings.md
    note: str = ""  # what the processor remembers of all messages before the offset

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def mark_of(metadata: str | None) -> Mark | None:
    """None if there is none, or somebody else's: offsets set by hand are taken as they are."""
    try:
        return msgspec.json.decode(metadata or "", type=Mark)
    except msgspec.DecodeError:
        return None


class Position(NamedTuple):
    """What is known of a partition before it is begun."""

    place: str  # topic/partition
    source: bool  # of others, who can send it once more; not an inbox of our own
    committed: int
    mark: Mark | None  # committed with it
    now: Mark | None  # what would be committed today, if that is known
    log_orders: bool  # its events are ordered by their offsets
    first: int  # offset there is
    end: int  # one past the last
    given_up: int | None = None  # the committed offset behind which an operator gives up what is lost


class Begin(NamedTuple):
    """Where to begin, and what is to be said of it."""

    offset: int
    note: str = ""  # empty: nothing is special
    again: bool = False  # from the beginning of a topic that was made anew


class LostError(Exception):
    """A partition cannot be read on: the message says why, and what to do."""


def begin(at: Position) -> Begin:
    """Raises LostError."""
    if at.mark and at.now and at.mark.topic_id != at.now.topic_id:
        what = f"was deleted and made anew (topic id {at.mark.topic_id}, now {at.now.topic_id})"
        return _anew(at, what)
    if at.committed > at.end:
        what = f"ends at offset {at.end}, before the committed {at.committed}: it was cut off or made anew"
        if not at.source and at.given_up != at.committed:
            raise LostError(f"{at.place} {what}. {_how_on(at)}")
        return _anew(at, what)
    if at.committed >= at.first:
        return Begin(at.committed)
    lost = f"{at.place}: committed is offset {at.committed}, the oldest there is {at.first}"
    gone = f"{at.first - at.committed:,} offsets ({at.committed} to {at.first - 1})"
    if at.given_up == at.committed:
        return Begin(at.first, f"{lost}: {gone} are given up, as told")
    raise LostError(f"{lost}: {gone} were deleted before they were read. {_how_on(at)}")


def _anew(at: Position, what: str) -> Begin:
    what = f"{at.place} {what}"
    if at.log_orders and at.given_up != at.committed and not (at.mark and at.now and at.now.epoch > at.mark.epoch):
        looks = (
            f"{what}. Its events are ordered by their offsets (`order: {{log: true}}`), so those of the new topic look older"
        )
        if at.mark:
            raise LostError(f"{looks}: set `epoch: {at.mark.epoch + 1}` in its mapping, then start again")
        raise LostError(f"{looks}: raise `epoch` in its mapping, start again, and then: {SKIP} {_topic(at)}")
    return Begin(at.first, f"{what}: it is read from its beginning; what repeats known events changes nothing", True)


def _how_on(at: Position) -> str:
    again = "Have the source send them once more if you can; to" if at.source else "To"
    return f"{again} go on without them: {SKIP} {_topic(at)}"


def _topic(at: Position) -> str:
    return at.place.rpartition("/")[0]
