"""Which Kafka release a broker runs: asked with the one request (ApiVersions) that a broker answers before a login.

The clients do not tell it. A broker says which levels of `metadata.version` its software knows, and the newest level is
the release. Source: KIP-584, KIP-778; levels from Kafka's MetadataVersion.
"""

from __future__ import annotations

import socket
import ssl
import struct
from bisect import bisect_right
from collections.abc import Mapping

LEVELS = (
    *((1, "3.3"), (8, "3.4"), (9, "3.5"), (12, "3.6"), (15, "3.7"), (20, "3.8"), (21, "3.9")),
    *((22, "4.0"), (26, "4.1"), (28, "4.2"), (30, "4.3"), (31, "4.4")),
)
"""The first level of each release. A newer release counts as the last one here."""

API_VERSIONS, VERSION = 18, 3
LARGEST_ANSWER = 1 << 20


def release_of(level: int) -> str:
    """The release whose newest `metadata.version` this is, as text for people; empty for one before 3.3."""
    place = bisect_right([first for first, _ in LEVELS], level)
    if not place:
        return ""
    return LEVELS[place - 1][1] + (" or newer" if place == len(LEVELS) else "")


def broker_level(host: str, port: int, settings: Mapping[str, str], timeout: float) -> int:
    """The newest `metadata.version` a broker knows. `settings` are librdkafka's; those of TLS are used.

    Raises OSError (TLS included) if it does not answer, ValueError if the answer is not understood.
    """
    with socket.create_connection((host, port), timeout) as plain:
        if "SSL" not in settings.get("security.protocol", "").upper():
            return _ask(plain)
        with _tls(settings).wrap_socket(plain, server_hostname=host) as secure:
            return _ask(secure)


def _tls(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
    if "ssl.certificate.location" in settings:
        context.load_cert_chain(
            settings["ssl.certificate.location"], settings.get("ssl.key.location"), settings.get("ssl.key.password")
        )
    if settings.get("ssl.endpoint.identification.algorithm") == "none":
        context.check_hostname = False
    return context


def _ask(connection: socket.socket) -> int:
    name = b"singleview"
    compact = bytes([len(name) + 1]) + name
    request = struct.pack(">hhih", API_VERSIONS, VERSION, 1, len(name)) + name + b"\0" + compact + compact + b"\0"
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _receive(connection, 4))
    if not 0 < size <= LARGEST_ANSWER:
        raise ValueError("the answer is not Kafka's")
    return newest_level(_receive(connection, size))


def _receive(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise ValueError("the connection was closed before an answer")
        found += part
    return found


def newest_level(answer: bytes) -> int:
    """The newest `metadata.version` an ApiVersions answer (version 3) names. Raises ValueError if there is none."""
    try:
        return _Answer(answer).newest_level()
    except (IndexError, struct.error) as error:
        raise ValueError("the answer is cut short") from error


class _Answer:
    """Reads an answer from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def newest_level(self) -> int:
        _correlation, error = self._fixed(">ih")
        if error:
            raise ValueError(f"the broker refused to say (error {error})")
        for _ in range(self._varint() - 1):  # the requests it knows
            self._fixed(">hhh")
            self._varint()
        self._fixed(">i")
        for _ in range(self._varint()):
            tag, size = self._varint(), self._varint()
            if tag == 0:
                return self._supported("metadata.version")
            self._at += size
        raise ValueError("the broker does not say which features it has")

    def _supported(self, feature: str) -> int:
        for _ in range(self._varint() - 1):
            length = self._varint() - 1
            name = self._data[self._at : self._at + length].decode(errors="replace")
            self._at += length
            _least, most = self._fixed(">hh")
            self._varint()
            if name == feature:
                return most
        raise ValueError(f"the broker does not know {feature}")

    def _fixed(self, form: str) -> tuple[int, ...]:
        found: tuple[int, ...] = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
