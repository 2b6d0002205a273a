"""The command line in the test's own process: quick, and nothing of it is faked."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from streams.app.cli import main


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class CommandLine:
    """`run("show", "x")` is `singleview show x` in a terminal of 80 columns that is none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("COLUMNS", "80")

    def __call__(self, *arguments: object) -> Outcome:
        self._monkeypatch.setattr(sys, "argv", ["singleview", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        return Outcome(code, *self._capsys.readouterr())
