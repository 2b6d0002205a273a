"""The message around an event: what `//key`, `//header.name`, `//topic` and the like are read from.

Few mappings read it, and every compiled path is a function of the item and the event. So it is not handed through all of
them: the mapping says which message is being read, for as long as it reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property

from msgspec import UNSET

from streams.engine.contract import Message

MESSAGE_PARTS = ("key", "header", "topic", "partition", "offset", "timestamp", "schema", "row")
"""What a path that begins with `//` can name."""


class Around:
    """One message while it is read. Key and schema are looked at only when a path asks for them."""

    def __init__(self, message: Message, read_key: Callable[[], object], read_schema: Callable[[], str]) -> None:
        self.message = message
        self.row: int | None = None  # which of the message's rows, where it has several
        self._read_key = read_key
        self._read_schema = read_schema

    @cached_property
    def key(self) -> object:
        """Raises RejectedError for a key that cannot be decoded."""
        return self._read_key()

    @cached_property
    def schema(self) -> str:
        return self._read_schema()

    def header(self, name: str) -> object:
        """The last header of the name, as text if it is UTF-8; None for one without a value."""
        for key, value in reversed(self.message.headers):
            if key == name:
                return None if value is None else _text(value)
        return UNSET


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


_AROUND: ContextVar[Around] = ContextVar("around")


@contextmanager
def reading(around: Around) -> Iterator[Around]:
    """Paths that begin with `//` are looked up in this message."""
    token = _AROUND.set(around)
    try:
        yield around
    finally:
        _AROUND.reset(token)


def message_part(part: str, name: str = "") -> object:
    """A part of the message that is being read, UNSET where it has none."""
    around = _AROUND.get(None)
    if around is None:
        return UNSET
    match part:
        case "key":
            return UNSET if around.message.key is None else around.key
        case "header":
            return around.header(name)
        case "schema":
            return around.schema or UNSET
        case "row":
            return UNSET if around.row is None else around.row
    found: object = getattr(around.message, part)
    return found
