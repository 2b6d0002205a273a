"""CSV cells that a spreadsheet would run, made text. What is done is what OWASP advises: a quote before the cell.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end is taken for a formula, which may call programs and send what
stands in other cells elsewhere. With `'` before it, it is text. A signed number, and so a telephone number in its
international form, is left as it is: there is nothing in it that could be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BEGINS_A_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""The last four are the wide forms of the first four, which some programs take for them."""

_NUMBER = re.compile(r"[+-]?[0-9(][0-9 ().,/-]*")


def text_cells(row: Iterable[str]) -> list[str]:
    """The row, nothing of which a spreadsheet would run."""
    return [f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) and not _NUMBER.fullmatch(cell) else cell for cell in row]
