"""How large the next batch may be: small transactions when something is slow, large ones when there is much to do."""

from __future__ import annotations

FIRST = 1_000
"""Messages of the first batch, as nobody knows yet how long one takes."""

SHRINK = 0.7
"""Of the size that would just have fitted: the next batch may be slower by message."""

GROW = 2.0


class Pace:
    """The number of messages of the next batch, so that a transaction ends well inside its time-out.

    What is there is taken at once, so batches are small while it is quiet; this bounds them from above.
    """

    __slots__ = ("_most", "_seconds", "limit")

    def __init__(self, most: int, seconds: float) -> None:
        """Never more than `most` messages; a transaction is meant to take at most `seconds`, from its begin to its end."""
        self._most = most
        self._seconds = seconds
        self.limit = min(most, FIRST)

    def took(self, messages: int, seconds: float) -> None:
        """A transaction of so many messages took so long."""
        if seconds > self._seconds:
            self.limit = min(self._most, max(1, int(messages * self._seconds / seconds * SHRINK)))
        elif messages >= self.limit < self._most:
            fitting = messages * self._seconds / seconds if seconds else self._most
            self.limit = min(self._most, max(self.limit, int(min(fitting, self.limit * GROW))) + 1)

    def failed(self) -> None:
        """A transaction was not finished: it may have been too large for its time-out, so the next is half as large."""
        self.limit = max(1, self.limit // 2)
