from __future__ import annotations

import pytest

from streams.engine.trace import trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_the_trace_id_is_found_among_the_headers() -> None:
    headers = (("other", b"x"), ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()))
    assert trace_of(headers) == {"trace": TRACE}


@pytest.mark.parametrize("value", [b"", b"ada@example.com", f"00-{TRACE}-b7ad6b7169203331-01 ada".encode(), b"\xff"])
def test_a_header_that_is_no_trace_never_gets_into_the_log(value: bytes) -> None:
    assert trace_of((("traceparent", value),)) == {}
