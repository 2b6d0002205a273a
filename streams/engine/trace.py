"""The trace a message belongs to, for the log (W3C Trace Context)."""

from __future__ import annotations

import re

from streams.engine.contract import Headers

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(headers: Headers) -> dict[str, str]:
    """`{"trace": <trace id>}` of the message's `traceparent`, fit for a log record's `extra`; empty without a valid one."""
    for name, value in headers:
        if name == "traceparent" and value and (found := _TRACEPARENT.fullmatch(value)):
            return {"trace": found.group(1).decode()}
    return {}
