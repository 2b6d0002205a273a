"""When processors ask again for what should have come from another one and has not."""

from __future__ import annotations

FIRST_MS, LONGEST_MS = 90_000, 24 * 3_600_000
"""The first time comes after the first retry of a message that ended as a dead letter (60 s), which loses nothing."""


def pause_ms(asked: int) -> int:
    """How long to wait for an answer, after having asked so often: twice as long each time."""
    return min(FIRST_MS << min(asked, 20), LONGEST_MS)
