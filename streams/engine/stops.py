"""What is not read any more, and why; and messages suspected of taking more memory or time than there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from streams.engine.contract import Message
from streams.engine.log import Inbox

ALONE_TRIES = 2
"""Tries of a message in a batch of its own until its partition stops: the first may have met a machine that slept."""

NO_MEMORY = "took more memory than there is"
WHAT_TO_DO = (
    "Give the process more memory or a faster machine and start again; or keep the message elsewhere, move the group's"
    " committed offset past it, then start again"
)


def took_too_long(seconds: float, longest_seconds: float) -> str:
    """Why a message is suspected."""
    return f"took {seconds:.1f} s, and a transaction may take {longest_seconds:g} s"


class SuspectError(Exception):
    """This message took more memory, or longer, than there is: the batch is given back, and the message tried alone."""

    def __init__(self, message: Message, why: str) -> None:
        super().__init__(f"{message.ref} {why}")
        self.message = message
        self.why = why


class Stops:
    """Topics and partitions that are not read, by `topic` or `topic/partition`: as operators read of them."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.why)

    def __contains__(self, inbox: Inbox) -> bool:
        return bool(self.why) and (inbox.topic in self.why or partition_of(inbox) in self.why)


def partition_of(inbox: Inbox) -> str:
    """How a stopped partition is named."""
    return f"{inbox.topic}/{inbox.partition}"


class Suspects:
    """Messages that are tried alone."""

    def __init__(self) -> None:
        self._alone: Counter[tuple[Inbox, int]] = Counter()  # by partition and offset: tries in a batch of its own

    def failed(self, message: Message, *, alone: bool) -> bool:
        """It failed, in a batch of its own or among others. True if it is to be tried no more."""
        self._alone[_place(message)] += alone
        return self._alone[_place(message)] >= ALONE_TRIES

    def cut(self, messages: Sequence[Message]) -> int:
        """How many messages the next batch may hold: one that is suspected is the only one of its batch."""
        if not self._alone:
            return len(messages)
        at = next((n for n, message in enumerate(messages) if _place(message) in self._alone), len(messages))
        return max(1, at)

    def done(self, messages: Sequence[Message]) -> None:
        """These were processed."""
        for message in messages if self._alone else ():
            self._alone.pop(_place(message), None)


def _place(message: Message) -> tuple[Inbox, int]:
    return Inbox(message.topic, message.partition), message.offset
