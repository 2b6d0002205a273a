from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from connectors.mappings import shipped_mapping
from streams.app.commands import check as command
from tests.command_line import CommandLine

FAMILY_NAME = "[bold]" + "Wolfeschlegelsteinhausenbergerdorff" * 4 + ":smile:"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """An event with a value longer than any terminal is wide."""
    changes = {"person": {"familyName": FAMILY_NAME}}
    customer = {"customerRef": "A", "seq": 1, "brand": "north", "country": "IE", "changes": changes}
    path = tmp_path / "sample.json"
    path.write_text(json.dumps({"eventTime": "2024-01-01T00:00:00Z", "customer": customer}))
    return path


def test_a_value_is_shown_as_it_is_where_there_is_no_terminal(singleview: CommandLine, sample: Path) -> None:
    told = singleview("check", shipped_mapping("orders"), sample)
    assert told.code == 0
    assert f'"family": "{FAMILY_NAME}"\n' in told.out


def test_a_terminal_shows_a_long_value_on_several_lines(
    singleview: CommandLine, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(command, "out", Console(file=screen, force_terminal=True, width=40))
    assert singleview("check", shipped_mapping("orders"), sample).code == 0
    shown = Text.from_ansi(screen.getvalue()).plain
    assert FAMILY_NAME in "".join(shown.split())


def test_a_mapping_of_avro_is_checked_without_samples_and_without_a_registry(singleview: CommandLine) -> None:
    told = singleview("check", shipped_mapping("billing"))
    assert (told.code, told.err) == (0, "")
    assert "billing.yaml: fine" in told.out


def test_samples_of_avro_without_a_registry_are_told_to_name_it_with_config(singleview: CommandLine, tmp_path: Path) -> None:
    sample = tmp_path / "sample.avro"
    sample.write_bytes(b"\0\0\0\0\1")
    told = singleview("check", shipped_mapping("billing"), sample)
    assert told.code == 2
    assert "billing.yaml" in told.err
    assert "--config" in told.err
