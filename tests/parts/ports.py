"""Ports for the parts."""

from __future__ import annotations

import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below Linux's range for outgoing connections (32768 up): a client that keeps trying the port of a killed broker could
otherwise be given that very port as its own and connect to itself, and the broker could not come back."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    for port in random.sample(range(LOWEST, HIGHEST), 100):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port found between {LOWEST} and {HIGHEST}: close what listens there")
