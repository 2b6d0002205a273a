from __future__ import annotations

import msgspec
import pytest

from streams.app.commands.run import summed
from tests.command_line import CommandLine


def test_the_summaries_of_processes_are_summed() -> None:
    one = {"messages": {"intake": 3, "records": 4}, "stopped_sources": {"crm": "too many"}, "failures": {}}
    other = {"messages": {"intake": 2}, "stopped_sources": {}, "failures": {"records": "fenced"}}
    assert summed([msgspec.json.encode(one), msgspec.json.encode(other)]) == {
        "messages": {"intake": 5, "records": 4},
        "stopped_sources": {"crm": "too many"},
        "failures": {"records": "fenced"},
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["nonesuch"], "allowed: intake, records"), (["--processes", "0"], "--processes"), (["--log-format", "xml"], "json")],
)
def test_a_wrong_use_is_told_before_anything_runs(arguments: list[str], told: str, singleview: CommandLine) -> None:
    found = singleview("run", *arguments)
    assert found.code == 2
    assert told in found.err
