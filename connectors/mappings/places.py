"""Positions as sources write them: whole numbers of any length, LSNs, hexadecimal, text of a fixed width."""

from __future__ import annotations

import re

from connectors.mappings.unfit import UnfitError
from schemas.position import Place, Position, lettered, numbered

LONGEST_TEXT = 500

LOG_FILE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]{0,99})\.(?P<number>\d{3,12})", re.ASCII)
"""A file of a database's log: `mysql-bin.000003`."""

_DECIMAL = re.compile(r"[+-]?\d+", re.ASCII)
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+", re.ASCII)
_HEX_MARKED = re.compile(r"0[xX][0-9a-fA-F]+", re.ASCII)
_GROUPS = re.compile(
    r"(?:0[xX])?[0-9a-fA-F]+(?:[:/](?:0[xX])?[0-9a-fA-F]+)+|(?:0[xX])?[0-9a-fA-F]+(?:\.[0-9a-fA-F]+){2,}", re.ASCII
)
"""An LSN or a place in a redo log: `00000027:00000758:0003`, `0/16B3748`, `0x001234.00012345.0124`."""

_GTID = re.compile(
    r"\s*(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?::\S*)?|\d+-\d+-\d+)(?:,.*)?\s*", re.ASCII | re.DOTALL
)
BY_BINLOG = "order: {sequence: [/source.file, /source.pos, /source.row]}"


def number_places(value: object, path: str) -> Position:
    """A whole number, or an LSN, which is several. Raises UnfitError("missing-order"), which says what to write."""
    if type(value) is int:
        return (_place(value, path),)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return (int(value),)
    if isinstance(value, bytes) and 0 < len(value) <= 100:
        return (_place(int.from_bytes(value, "big"), path),)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise UnfitError("missing-order", f"path {path}: a whole number was expected")
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        return (_place(int(text), path),)
    if _HEX_MARKED.fullmatch(text) or _GROUPS.fullmatch(text):
        return hex_places(text, path)
    raise UnfitError("missing-order", f"path {path}: {_advice(text, path)}")


def hex_places(value: object, path: str) -> Position:
    """A hexadecimal number, or several with `:`, `/`, `.` or `-` between them. Raises UnfitError("missing-order")."""
    if type(value) is int:  # digits alone, in JSON without quotes
        value = str(value)
    if isinstance(value, bytes):
        value = value.hex()
    groups = re.split("[:/.-]", value.strip()) if isinstance(value, str) and len(value) <= LONGEST_TEXT else [""]
    if not all(_HEX.fullmatch(group) for group in groups):
        raise UnfitError("missing-order", f"path {path}: a hexadecimal number was expected")
    return tuple(_place(int(group, 16), path) for group in groups)


def text_places(value: object, path: str, width: int) -> Position:
    """Text that is compared character by character. Raises UnfitError("missing-order") for another width."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise UnfitError("missing-order", f"path {path}: text was expected")
    if len(value) != width:
        raise UnfitError(
            "missing-order", f"path {path}: text of {len(value)} characters, and the mapping says width: {width}"
        )
    return (lettered(value),)


def _place(number: int, path: str) -> Place:
    try:
        return numbered(number)
    except ValueError:
        raise UnfitError("missing-order", f"path {path}: a number that is too large") from None


def _advice(text: str, path: str) -> str:
    """What to write for a text that is no number. The text itself is not quoted."""
    if _GTID.fullmatch(text):
        return f"a GTID does not order changes. Write `{BY_BINLOG}`"
    if not text:
        return f"nothing there. If a first load has none, write `order: {{sequence: {{path: {path}, default: lowest}}}}`"
    if _HEX.fullmatch(text):
        return f"not a decimal number. If it is hexadecimal, write `order: {{sequence: {{path: {path}, format: hex}}}}`"
    if re.match(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return f"a time, not a number. Write `order: {{timestamp: {path}}}`"
    return (
        f"not a whole number. If it is text that rises, always of {len(text)} characters, write"
        f" `order: {{sequence: {{path: {path}, format: text, width: {len(text)}}}}}`"
    )
