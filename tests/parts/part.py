"""What every real part can do, however it is run."""

from __future__ import annotations

from typing import NamedTuple, Protocol, Self


class Part(Protocol):
    """One server, started by the tests. `start` after `stop` or `kill` keeps its data and its address."""

    @property
    def address(self) -> str:
        """Where clients reach it: `host:port` of a broker, base URL of a registry. The same for its whole life."""
        ...

    def start(self) -> None:
        """Start, and wait until it answers its own protocol. Raises PartStartError if it does not, with its log's end."""
        ...

    def stop(self) -> None:
        """Stop in an orderly way; killed if that takes too long. Nothing happens if it is not running."""
        ...

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone: a crash."""
        ...

    def log(self) -> str:
        """Everything it has logged in this life and, where kept, its earlier ones."""
        ...

    def close(self) -> None:
        """Stop it and throw its data away."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


class SecondListener(NamedTuple):
    """Ports of 127.0.0.1 for clients that are to reach a broker through something else."""

    port: int  # where the broker listens too
    advertised: int  # where it sends those who meet it there


class MissingPartError(Exception):
    """This machine cannot run the part: the message says what is missing, way by way."""


class PartStartError(Exception):
    """The part was there but did not start: a defect, never a reason to skip."""
