"""How a process ends: errors a person can act on are one message, not a traceback.

Exit codes:

    0   fine
    1   the work failed: a broker or registry is away, nothing has this id, a sample would be a dead letter
    2   wrong use: an option, or a file the user wrote or named (configuration, mapping, rules, folder), cannot be used
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from rich.markup import escape

from schemas.documents import DocumentError
from schemas.registry import RegistryError
from streams.app import logs
from streams.app.config import ConfigurationError
from streams.app.console import UsageError, WorkError, err
from streams.engine.log import LogError
from streams.engine.overlay import BrokenStoreError, StoreError
from tables.rocks import StoreInUseError

USER_ERRORS = (DocumentError, ConfigurationError, UsageError)
WORK_ERRORS = (LogError, RegistryError, StoreError, BrokenStoreError, StoreInUseError, WorkError)

log = logging.getLogger(__name__)


def exit_code(work: Callable[[], object]) -> int:
    """Does the work and returns the exit code; tells of the error, if it is one of these."""
    try:
        work()
    except USER_ERRORS as error:
        _tell("error", str(error))
        return 2
    except WORK_ERRORS as error:
        _tell("failed", str(error))
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _tell("failed", f"{where}{error.strerror or error}")
        return 1
    return 0


def _tell(how: str, what: str) -> None:
    """To people; as a line of the log where programs read that."""
    if logs.are_for_programs():
        log.error("%s: %s", how, what)
    else:
        err.print(f"[bold red]{how}:[/] {escape(what)}", soft_wrap=True)
