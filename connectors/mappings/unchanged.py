"""The placeholder for a large column that a change did not touch, so that the database's log does not hold it.

Debezium sends it in a form of the column's type: text, its base64 or hexadecimal, a list of it, of its bytes or numbers, an
hstore of it, a UUID made of it. A flattened topic has the same forms.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import md5
from uuid import UUID

UNAVAILABLE = "__debezium_unavailable_value"
"""What Debezium writes unless its `unavailable.value.placeholder` says another text."""

_DEEPEST = 20  # levels of a document that are looked at


class _Unchanged:
    """Stands in a document where the source wrote the placeholder."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED = _Unchanged()


class Placeholders:
    """The texts that stand for `unchanged`, in all their forms."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts`: others than Debezium's own."""
        written = [text.encode() for text in (UNAVAILABLE, *texts)]
        self._bytes = frozenset(written)
        self._texts = frozenset(form for data in written for form in _text_forms(data))
        self._codes = [list(data) for data in written]
        self._needles = [needle for data in written for needle in _needles(data)]

    def may_be_in(self, data: bytes) -> bool:
        """A quick look at the bytes of a message: False if no placeholder is in the document it holds."""
        for needle in self._needles:  # noqa: SIM110 - every message comes by here, and a generator takes twice as long
            if needle in data:
                return True
        return False

    def mark(self, document: object) -> object:
        """The document with `UNCHANGED` for each placeholder; the same object if it has none."""
        return self._mark(document, _DEEPEST)

    def _mark(self, value: object, levels: int) -> object:
        if self._is_one(value):
            return UNCHANGED
        if not levels or not isinstance(value, dict | list):
            return value
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        changed = {key: marked for key, inner in pairs if (marked := self._mark(inner, levels - 1)) is not inner}
        if not changed:
            return value
        if isinstance(value, dict):
            return value | changed
        return [changed.get(index, inner) for index, inner in enumerate(value)]

    def _is_one(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self._texts
        if isinstance(value, bytes):
            return value in self._bytes
        if isinstance(value, UUID):
            return str(value) in self._texts
        if isinstance(value, list):
            return (len(value) == 1 and self._is_one(value[0])) or value in self._codes
        if isinstance(value, dict) and len(value) == 1:
            key, inner = next(iter(value.items()))
            return key in self._texts and key == inner
        return False


def _text_forms(data: bytes) -> Iterable[str]:
    text = data.decode()
    yield from (text, f'"{text}"', f'["{text}"]', f'{{"{text}":"{text}"}}', f'{{"{text}": "{text}"}}')
    yield from (b64encode(data).decode(), urlsafe_b64encode(data).decode(), data.hex(), data.hex().upper())
    yield str(UUID(bytes=md5(data, usedforsecurity=False).digest(), version=3))


def _needles(data: bytes) -> Iterable[bytes]:
    """What one of these forms has in it, in JSON or in Avro."""
    yield data
    yield from {b64encode(data).rstrip(b"="), urlsafe_b64encode(data).rstrip(b"=")}
    yield from (data.hex().encode(), data.hex().upper().encode())
    digest = UUID(bytes=md5(data, usedforsecurity=False).digest(), version=3)
    yield str(digest).encode()
    yield ",".join(map(str, data[:4])).encode()
    yield ", ".join(map(str, data[:4])).encode()
    yield b"".join(bytes([2 * code & 127 | 128, 2 * code >> 7]) if code > 63 else bytes([2 * code]) for code in data[:4])
