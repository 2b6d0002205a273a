"""What workers said and should not have: errors, and ends nobody brought about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

CLIENT = "librdkafka"
"""Logger of the client library: connections that break are its daily bread."""

ENDED = re.compile(r"process \S+ ended (.+): starts again")
KILLED = "by SIGKILL"


def strange_words(log: str) -> Iterator[str]:
    """Lines of a run's log (`--log-format json`) that should not be there."""
    for line in log.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            yield line
            continue
        ended = ENDED.match(said["message"])
        if ended is not None and ended[1] != KILLED:
            yield said["message"]
        elif said["level"] in {"ERROR", "CRITICAL"} and not said["logger"].startswith(CLIENT):
            yield f"{said['level']} {said['message']} {said.get('exception', '')}".strip()
