"""What may be told of an unforeseen error: its type and place. Its text may hold personal values."""

from __future__ import annotations


def without_text(error: BaseException) -> BaseException:
    """For a log's `exc_info`."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
