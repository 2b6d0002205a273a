from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.logs.release import newest_level, release_of


def answer(features: dict[str, int], error: int = 0) -> bytes:
    """An ApiVersions answer, version 3, of a broker that knows two requests."""
    known = b"".join(struct.pack(">hhh", key, 0, 9) + b"\0" for key in (0, 18))
    named = b"".join(
        bytes([len(name) + 1]) + name.encode() + struct.pack(">hh", 1, most) + b"\0" for name, most in features.items()
    )
    supported = bytes([len(features) + 1]) + named
    epoch = struct.pack(">q", 5)
    tags = b"\x02" + bytes([1, len(epoch)]) + epoch + bytes([0, len(supported)]) + supported
    return struct.pack(">ih", 1, error) + b"\x03" + known + struct.pack(">i", 0) + tags


@pytest.mark.parametrize(
    ("level", "release"),
    [(0, ""), (1, "3.3"), (21, "3.9"), (25, "4.0"), (27, "4.1"), (28, "4.2"), (33, "4.4 or newer"), (99, "4.4 or newer")],
)
def test_a_level_belongs_to_the_release_that_brought_it(level: int, release: str) -> None:
    assert release_of(level) == release


@given(st.integers(0, 32_000))
def test_the_newest_level_is_read_from_among_the_features(level: int) -> None:
    assert newest_level(answer({"group.version": 1, "metadata.version": level, "transaction.version": 2})) == level


@pytest.mark.parametrize("bad", [answer({"metadata.version": 27}, error=35), answer({"group.version": 1}), b""])
def test_an_answer_without_a_level_is_an_error(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"answer|broker"):
        newest_level(bad)


@given(st.data())
def test_an_answer_cut_anywhere_is_an_error_and_never_a_level(data: st.DataObject) -> None:
    whole = answer({"metadata.version": 27})
    with pytest.raises(ValueError, match=r"answer|broker"):
        newest_level(whole[: data.draw(st.integers(0, len(whole) - 2))])
