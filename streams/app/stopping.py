"""The signals that ask a process to stop in order."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""From a supervisor, from Ctrl-C, from a terminal that is closed."""

Handler = Callable[[int, FrameType | None], None]


def when_asked_to_stop(handler: Handler | signal.Handlers) -> None:
    """Calls `handler` at each of these signals. SIGHUP stays ignored where it is: that is what nohup asks for."""
    for number in STOPPING:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
