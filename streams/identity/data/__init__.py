"""Reference tables of identity: plain text, `#` comments; each file says what it holds and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files


def lines(file: str) -> Iterator[str]:
    """The entries of a table, one a line."""
    text = files(__name__).joinpath(file).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def words(file: str) -> dict[str, frozenset[str]]:
    """A table of `heading: word word ...`; a heading may have several lines."""
    table: dict[str, frozenset[str]] = {}
    for line in lines(file):
        heading, _, rest = line.partition(":")
        table[heading] = table.get(heading, frozenset()) | frozenset(rest.split())
    return table


def pairs(file: str) -> dict[str, str]:
    """A table of `result: word word ...`, turned round: what each word becomes (`-` is nothing)."""
    return {word: "" if result == "-" else result for result, spellings in words(file).items() for word in spellings}
