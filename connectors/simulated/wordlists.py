"""Word lists of our own, shipped beside the code: what Faker does not have."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources


def short_forms(language: str) -> dict[str, tuple[str, ...]]:
    """Given name to the short forms people use of it."""
    return {row["given_name"]: tuple(row["short_forms"].split()) for row in _rows("short-forms.csv", language)}


def surname_halves(language: str) -> dict[str, list[str]]:
    """First and second halves of rare surnames; empty for a language that does not build them so."""
    halves: dict[str, list[str]] = {"first": [], "second": []}
    for row in _rows("surname-halves.csv", language):
        halves[row["half"]].append(row["text"])
    return halves


def _rows(file: str, language: str) -> Iterator[dict[str, str]]:
    text = resources.files(__package__).joinpath("data", file).read_text(encoding="utf-8")
    return (row for row in csv.DictReader(text.splitlines()) if row["language"] == language)
