"""How a process ends: errors a person can act on are one message, not a traceback.

Exit codes:

    0   fine
    1   the work failed: a broker or registry is away, nothing has this id, a sample would be a dead letter
    2   wrong use: an option, or a file the user wrote or named (configuration, mapping, rules, folder), cannot be used
"""

from __future__ import annotations

from collections.abc import Callable

from rich.markup import escape

from schemas.documents import DocumentError
from schemas.registry import RegistryError
from streams.app.config import ConfigurationError
from streams.app.console import UsageError, WorkError, err
from streams.engine.log import LogError
from tables.rocks import StoreInUseError

USER_ERRORS = (DocumentError, ConfigurationError, UsageError)
WORK_ERRORS = (LogError, RegistryError, StoreInUseError, WorkError)


def exit_code(work: Callable[[], object]) -> int:
    """Does the work and returns the exit code; tells of the error, if it is one of these."""
    try:
        work()
    except USER_ERRORS as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except WORK_ERRORS as error:
        err.print(f"[bold red]failed:[/] {escape(str(error))}", soft_wrap=True)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        err.print(f"[bold red]failed:[/] {escape(where)}{error.strerror or error}", soft_wrap=True)
        return 1
    return 0
