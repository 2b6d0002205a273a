from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from streams.app.commands.run import child_command, cores, summed
from tests.command_line import CommandLine


def test_a_child_is_the_same_command_in_this_python() -> None:
    command = child_command(["records", "notify"], Path("sv.yaml"), "json", as_json=True)
    assert command[:4] == [sys.executable, "-m", "streams.app.cli", "run"]
    assert command[4:] == ["records", "notify", "--config", "sv.yaml", "--log-format", "json", "--json"]
    assert child_command([], Path("sv.yaml"), None, as_json=False)[4:] == ["--config", "sv.yaml"]


def test_the_summaries_of_processes_are_summed() -> None:
    one = {"messages": {"intake": 3, "records": 4}, "stopped_sources": {"crm": "too many"}, "failures": {}}
    other = {"messages": {"intake": 2}, "stopped_sources": {}, "failures": {"records": "fenced"}}
    assert summed([msgspec.json.encode(one), msgspec.json.encode(other)]) == {
        "messages": {"intake": 5, "records": 4},
        "stopped_sources": {"crm": "too many"},
        "failures": {"records": "fenced"},
    }


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["nonesuch"], "allowed: intake, records"), (["--processes", "0"], "--processes"), (["--log-format", "xml"], "json")],
)
def test_a_wrong_use_is_told_before_anything_runs(arguments: list[str], told: str, singleview: CommandLine) -> None:
    found = singleview("run", *arguments)
    assert found.code == 2
    assert told in found.err
