"""Dead letters: an event that could not be processed, kept whole, with what, where and why as headers.

The header names are those of Kafka Connect's dead letter queue, so that existing tools read them.
"""

from __future__ import annotations

from schemas.topics import DEAD_LETTERS, LARGEST_MESSAGE_BYTES
from streams.engine.contract import Headers, Message
from streams.engine.outbox import Outgoing

PREFIX = "__connect.errors."

LARGEST_BYTES = LARGEST_MESSAGE_BYTES - 65_536
"""Of key, value and headers. The rest is for the batch around them, and for compression that finds nothing to compress."""


def dead_letter(message: Message, stage: str, reason: str, detail: str) -> Outgoing:
    """The original key, value and headers of `message`, and why `stage` refused it. `detail` holds no personal value."""
    why = {
        "topic": message.topic,
        "partition": str(message.partition),
        "offset": str(message.offset),
        "connector.name": "singleview",
        "stage": stage,
        "exception.class.name": reason,
        "exception.message": detail,
    }
    headers = tuple((PREFIX + name, text.encode()) for name, text in why.items())
    return Outgoing(DEAD_LETTERS, message.key, message.value, (*message.headers, *headers))


def bytes_of(letter: Outgoing) -> int:
    """Key, value and headers."""
    named = sum(len(name.encode()) + len(value or b"") for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + named


def reason_of(headers: Headers) -> str:
    """Why a dead letter was refused, by its headers: the last one counts, as the original may have been a dead letter."""
    reasons = [value.decode() for name, value in headers if name == PREFIX + "exception.class.name" and value]
    return reasons[-1] if reasons else "unknown"
