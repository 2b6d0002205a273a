from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from streams.app.config import ConfigurationError
from streams.app.health import Health
from streams.app.observe import Address, Endpoint

FINE = Health(
    "records",
    live=True,
    ready=True,
    why="",
    partitions=4,
    restoring=0,
    stopped_sources={"crm": "too many"},
    absent_paths={"crm": ["email"]},
)
RESTORING = FINE._replace(processor="identity", ready=False, why="restores 1 of 4 partitions", restoring=1)
STALLED = RESTORING._replace(live=False)


@contextmanager
def endpoint(*healths: Health, host: str = "127.0.0.1") -> Iterator[str]:
    with Endpoint(Address(host, 0), lambda: b"a_metric 1.0\n", lambda now: list(healths)) as found:
        yield f"http://127.0.0.1:{found.address.port}"


def get(url: str) -> tuple[int, bytes, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers["Content-Type"]


def test_metrics_come_as_prometheus_text() -> None:
    with endpoint(FINE) as url:
        assert get(url + "/metrics") == (200, b"a_metric 1.0\n", "text/plain; version=0.0.4; charset=utf-8")


def test_a_process_is_ready_when_all_its_processors_are_stopped_sources_or_not() -> None:
    with endpoint(FINE) as url:
        status, body, _ = get(url + "/ready")
        assert status == 200
        assert msgspec.json.decode(body)["processors"]["records"]["stopped_sources"] == {"crm": "too many"}
    with endpoint(FINE, RESTORING) as url:
        status, body, _ = get(url + "/ready?verbose")
        assert status == 503
        assert msgspec.json.decode(body)["processors"]["identity"]["why"] == "restores 1 of 4 partitions"


def test_a_process_is_live_while_its_processors_come_back_ready_or_not() -> None:
    with endpoint(FINE, RESTORING) as url:
        assert get(url + "/live")[0] == 200
    with endpoint(FINE, STALLED) as url:
        status, body, _ = get(url + "/live")
        assert (status, msgspec.json.decode(body)["processors"]) == (503, {"records": True, "identity": False})


def test_another_path_says_which_there_are() -> None:
    with endpoint(FINE) as url:
        status, body, _ = get(url + "/")
        assert (status, body) == (404, b"there are /metrics, /live and /ready\n")


def test_a_port_that_is_taken_is_told_with_the_setting_to_change() -> None:
    with endpoint(FINE) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match=rf"observe.listen: 127.0.0.1:{port} .*another address or port"):
            Endpoint(Address("127.0.0.1", port), bytes, lambda now: [])
