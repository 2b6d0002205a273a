"""What operators and orchestrators ask a running process over HTTP: /metrics, /live, /ready.

    /metrics   Prometheus' text format
    /live      200 while every processor comes back from its steps, else 503: start the process anew
    /ready     200 when every partition held is restored and its processor polls, else 503, and why

Both health answers are one JSON object. A stopped source is told by /ready, but leaves it ready: starting the process
anew would not help.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

import msgspec

from streams.app.config import ConfigurationError
from streams.app.health import Health

log = logging.getLogger(__name__)

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_SECONDS = 10.0
"""How long a client may take to say what it wants."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int  # 0 chooses a free one


class Endpoint:
    """Answers in threads of its own, until closed. Use it as a context manager."""

    def __init__(self, address: Address, text: Callable[[], bytes], health: Callable[[float], list[Health]]) -> None:
        """`text`: the metrics; `health`: of every processor, at a monotonic time.

        Raises ConfigurationError if the address cannot be had.
        """

        class Handler(_Handler):
            timeout = REQUEST_SECONDS
            metrics = staticmethod(text)
            healths = staticmethod(health)

        kind = _Server6 if ":" in address.host else _Server
        try:
            self._server = kind(address, Handler)
        except OSError as error:
            where = f"{address.host}:{address.port}"
            raise ConfigurationError(
                f"observe.listen: {where} cannot be listened on ({error.strerror}): choose another address or port"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="observe", daemon=True)

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return Address(str(host), port)

    def __enter__(self) -> Self:
        self._thread.start()
        log.info("metrics and health at http://%s:%d/metrics, /live, /ready", *self.address)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    metrics: Callable[[], bytes]
    healths: Callable[[float], list[Health]]

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(HTTPStatus.OK, PROMETHEUS, self.metrics())
            case "/live":
                found = self.healths(time.monotonic())
                self._say(all(one.live for one in found), {one.processor: one.live for one in found})
            case "/ready":
                found = self.healths(time.monotonic())
                self._say(all(one.ready for one in found), {one.processor: _readiness(one) for one in found})
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"there are /metrics, /live and /ready\n")

    def _say(self, fine: bool, processors: object) -> None:
        body = msgspec.json.encode({"ok": fine, "processors": processors}) + b"\n"
        self._answer(HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a line for each scrape would drown the others."""


def _readiness(one: Health) -> dict[str, object]:
    told = one._asdict()
    del told["processor"], told["live"]
    return told
