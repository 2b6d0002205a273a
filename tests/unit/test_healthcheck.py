"""deploy/healthcheck.py: what it says of a configuration that is no use."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


def told(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the check says as it fails: `sys.exit` with a text prints it and ends with 1."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(configuration)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert isinstance(ended.value.code, str)
    return ended.value.code


def test_a_missing_configuration_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(tmp_path / "nowhere.yaml", monkeypatch)
    assert said.startswith("unhealthy: ")
    assert "nowhere.yaml: cannot be read" in said


def test_a_configuration_with_mistakes_is_one_line_with_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "singleview.yaml"
    path.write_text("realms: {north: 0}\npartition: 3\n")
    said = told(path, monkeypatch)
    assert "sources: is missing" in said
    assert "unknown key 'partition'" in said
    assert "\n" not in said


def test_a_configuration_that_lacks_a_secret_of_kafka_s_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "singleview.yaml"
    path.write_text("realms: {north: 0}\nsources: [crm.yaml]\nkafka: {bootstrap.servers: '${env:NOBODY_SETS_THIS}'}\n")
    monkeypatch.delenv("NOBODY_SETS_THIS", raising=False)
    assert "NOBODY_SETS_THIS is not set" in told(path, monkeypatch)
