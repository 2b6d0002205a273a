"""Events that hold several rows, name what changed, or carry their content in another form."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from msgspec import UNSET

from connectors.mappings.paths import Getter, opened
from connectors.mappings.unfit import UnfitError
from streams.engine.contract import RejectedError

MAX_ROWS = 10_000


def rows_of(split: Getter, event: object) -> list[object] | None:
    """The rows of an event; an object is one row. None where there is neither. Raises UnfitError."""
    found = opened(split(event, event))
    if found is None or found is UNSET:
        return None
    if not isinstance(found, list | dict):
        raise UnfitError("bad-value", "a list was expected")
    rows = found if isinstance(found, list) else [found]
    if len(rows) > MAX_ROWS:
        raise UnfitError("too-large", f"more than {MAX_ROWS:,} rows")
    return rows


def names_in(value: object) -> Iterator[tuple[str, ...]]:
    """The fields that a list names as changed, as steps of paths. Raises UnfitError for what is no list of names."""
    found = opened(value)
    if found is None or found is UNSET:
        return
    for name in found if isinstance(found, list) else [found]:
        if not isinstance(name, str):
            raise UnfitError("bad-value", "changed: a list of names was expected")
        if name.startswith("0x"):
            raise UnfitError("bad-value", "changed: a bitmap: have the connector write the names of the fields")
        yield tuple(name.split("."))


def cloud_event(event: dict[str, object]) -> dict[str, object]:
    """A CloudEvent in JSON with its `data_base64` as `data`, other events as they are. Raises RejectedError."""
    if "data_base64" not in event or "specversion" not in event or event.get("data") is not None:
        return event
    try:
        data = b64decode(str(event["data_base64"]), validate=True).decode()
    except (Error, ValueError):
        raise RejectedError("bad-value", "data_base64 of a CloudEvent is not the base64 of a text") from None
    return event | {"data": data}
