"""Whether the simulated sources can be had: they need a package that nothing else does."""

from __future__ import annotations

from connectors.simulated import MissingFakerError, need_faker
from streams.app.console import WorkError


def need_simulation() -> None:
    """Raises WorkError with what to install. Asked before anything is written."""
    try:
        need_faker()
    except MissingFakerError as missing:
        raise WorkError(str(missing)) from missing
