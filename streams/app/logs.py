"""The log on standard error: lines for people, or one JSON object a line for programs.

Every line says which instance and processor wrote it, once they are known, and the trace id where a message had one. A
line holds no personal value: what is logged is ids, places and reasons.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TypeAlias

import msgspec

from streams.app.printable import printable, printable_json, printable_lines

LogFormat = Literal["text", "json"]

ExceptionDetails: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

QUIET = ("httpx", "httpx2")
"""Loggers that would write a line for each request to the registry."""

_instance: ContextVar[str] = ContextVar("instance", default="")
_processor: ContextVar[str] = ContextVar("processor", default="")


def configure(log_format: LogFormat = "text") -> None:
    """Sets up the root logger; a later call replaces what an earlier one set up."""
    handler = _StandardError()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for known in [known for known in root.handlers if isinstance(known, _StandardError)]:
        root.removeHandler(known)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def are_for_programs() -> bool:
    """Whether the log is one JSON object a line."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def say_who(*, instance: str = "", processor: str = "") -> None:
    """From here on this thread's lines carry these names."""
    _instance.set(instance)
    _processor.set(processor)


class _StandardError(logging.Handler):
    """Writes to what is standard error at that moment: a progress bar or a test may have put something in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # as logging's own handlers do: a line that cannot be written stops no work
            self.handleError(record)


class TextFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,123 INFO host-0 streams.engine.runtime message [trace ...]`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(who)s%(name)s %(message)s%(where)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.who = f"{_instance.get()} " if _instance.get() else ""
        trace = getattr(record, "trace", "")
        record.where = f" [trace {trace}]" if trace else ""
        record.message = printable(record.message)  # one line, whatever a name in it may try
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionDetails) -> str:  # noqa: N802 - logging's name
        return printable_lines(super().formatException(ei))


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message; instance, processor, trace, exception where there are such."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "instance": _instance.get(),
            "processor": _processor.get(),
            "trace": getattr(record, "trace", ""),
            "message": record.getMessage(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return printable_json(msgspec.json.encode({name: value for name, value in line.items() if value}).decode())
