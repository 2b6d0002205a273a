"""Where the processes of one `run` can be asked how they are: kept in the data folder while they run, for a health check.

`<data>/<instance>.endpoints` is a JSON list of [host, port].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

import msgspec

from streams.engine.private import private_file, private_folder

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and how this machine reaches it
FINE = 200


class Place(NamedTuple):
    """An address that a process listens on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def endpoints_file(data: Path, instance: str) -> Path:
    """Where it is written which addresses the processes of an instance have."""
    return data / f"{instance}.endpoints"


@contextmanager
def announced(file: Path, places: Sequence[Place]) -> Iterator[None]:
    """The file is there while the block runs. What a process that was killed has left is replaced."""
    private_folder(file.parent)
    private_file(file)
    file.write_bytes(msgspec.json.encode(places))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def ailing(file: Path, timeout: float) -> list[str]:
    """What is wrong with the processes of an instance, one text each; nothing if every one is alive.

    Raises FileNotFoundError if none run.
    """
    found = ((place, _answer(place, timeout)) for place in msgspec.json.decode(file.read_bytes(), type=list[Place]))
    return [f"{place}: {wrong}" for place, wrong in found if wrong]


def _answer(place: Place, timeout: float) -> str:
    """Why a process is not alive; empty if it is."""
    connection = HTTPConnection(ANY_ADDRESS.get(place.host, place.host), place.port, timeout=timeout)
    try:
        connection.request("GET", "/live")
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return f"does not answer ({type(error).__name__})"
    finally:
        connection.close()
    return "" if answer.status == FINE else text
