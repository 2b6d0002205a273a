"""A change as a table for people: what happens to which record, and a line for each attribute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

EMPTY = "(empty)"
_WIDTH = 24  # of the column of attributes


def change_lines(change: dict[str, Any]) -> Iterator[str]:
    """`change`: a SourceChange as plain values. Nothing is cut, and nothing a terminal would act on is left in it."""
    scope, position = change["order"]
    time = datetime.fromtimestamp(change["cause"][1] / 1000, UTC).isoformat(timespec="milliseconds")
    order = ".".join(str(part) for part in position)
    yield shown(f"  {change['operation']} of {change['record']}, order {scope} {order}, event time {time}")
    for name, value in change["attributes"].items():
        if name == "characteristics":
            for key, text in (value or {}).items():
                yield _line(f"{name}.{key}", [text])
        elif isinstance(value, list):
            yield from (_line(name if not number else "", [item]) for number, item in enumerate(value))
        else:
            yield _line(name, [value])


def _line(name: str, values: list[object]) -> str:
    return "    " + shown(f"{name:{_WIDTH}} {', '.join(map(_text, values))}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    return EMPTY if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown(text: str) -> str:
    """Text with control characters escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
