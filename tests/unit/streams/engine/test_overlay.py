from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.overlay import Overlay, StoreError
from tests.fakes import MemoryStore

keys = st.binary(min_size=0, max_size=3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.binary(max_size=2)),
        st.tuples(st.just("delete"), keys, st.just(b"")),
        st.tuples(st.just("mark"), st.just(b""), st.just(b"")),
        st.tuples(st.just("undo"), st.just(b""), st.just(b"")),
        st.tuples(st.just("scan"), keys, st.just(b"")),
    ),
    max_size=40,
)


@given(st.dictionaries(keys, st.binary(max_size=2)), steps, st.lists(keys))
def test_reads_through_an_overlay_equal_reads_of_a_dict_with_the_same_writes(
    below: dict[bytes, bytes], script: list[tuple[str, bytes, bytes]], asked: list[bytes]
) -> None:
    overlay = Overlay(MemoryStore(dict(below)))
    expected = dict(below)
    saved = dict(below)
    for action, key, value in script:
        if action == "put":
            overlay.put(key, value)
            expected[key] = value
        elif action == "delete":
            overlay.delete(key)
            expected.pop(key, None)
        elif action == "mark":
            overlay.mark()
            saved = dict(expected)
        elif action == "undo":
            overlay.undo()
            expected = dict(saved)
        else:
            assert list(overlay.scan(key)) == sorted((k, v) for k, v in expected.items() if k.startswith(key))
    assert overlay.get_many(asked) == [expected.get(key) for key in asked]
    assert [overlay.get(key) for key in asked] == [expected.get(key) for key in asked]
    for key in asked:
        rows = sorted((k, v) for k, v in expected.items() if k > key)
        assert list(overlay.scan(b"", after=key)) == rows


@given(st.dictionaries(keys, st.binary(max_size=2)), steps)
def test_the_writes_of_an_overlay_applied_to_what_lies_below_give_what_it_shows(
    below: dict[bytes, bytes], script: list[tuple[str, bytes, bytes]]
) -> None:
    overlay = Overlay(MemoryStore(dict(below)))
    for action, key, value in script:
        if action == "put":
            overlay.put(key, value)
        elif action == "delete":
            overlay.delete(key)
        elif action == "mark":
            overlay.mark()
        elif action == "undo":
            overlay.undo()
    applied = dict(below)
    for key, written in overlay.writes.items():
        if written is None:
            applied.pop(key, None)
        else:
            applied[key] = written
    assert list(overlay.scan(b"")) == sorted(applied.items())


class Asked(MemoryStore):
    """Notes what it is asked for."""

    asked: list[list[bytes]]

    def __init__(self) -> None:
        super().__init__({b"b": b"1", b"c": b"2"})
        self.asked = []

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.asked.append(list(keys))
        return super().get_many(keys)


def test_rows_are_read_ahead_once_and_in_their_order() -> None:
    below = Asked()
    overlay = Overlay(below)
    overlay.put(b"w", b"written")
    overlay.load(key for key in (b"c", b"w", b"x", b"b", b"c"))
    overlay.load([b"b", b"x"])
    assert [overlay.get(key) for key in (b"b", b"c", b"w", b"x")] == [b"1", b"2", b"written", None]
    assert below.asked == [[b"b", b"c", b"x"]]


class Short:
    """A store for which there is too little memory."""

    def get(self, key: bytes) -> bytes | None:
        raise MemoryError

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        raise MemoryError

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        raise MemoryError
        yield b"", b""


def test_too_little_memory_is_not_taken_for_a_failing_disk() -> None:
    overlay = Overlay(Short())
    with pytest.raises(MemoryError):
        overlay.get(b"k")
    with pytest.raises(MemoryError):
        overlay.load([b"k"])
    with pytest.raises(MemoryError):
        list(overlay.scan(b"k"))


class BrokenDisk:
    def get(self, key: bytes) -> bytes | None:
        raise OSError("input/output error")

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        raise OSError("input/output error")

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        raise OSError("input/output error")
        yield b"", b""


def test_a_failing_disk_is_not_taken_for_a_bad_message() -> None:
    overlay = Overlay(BrokenDisk())
    with pytest.raises(StoreError):
        overlay.get(b"k")
    with pytest.raises(StoreError):
        overlay.get_many([b"k"])
    with pytest.raises(StoreError):
        overlay.load([b"k"])
    with pytest.raises(StoreError):
        list(overlay.scan(b"k"))
