"""What is downloaded goes into the cache, and nothing anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parts import artifacts

MAVEN = """#!/bin/sh
mkdir -p '${project.basedir}/target'
for argument in "$@"; do
    case "$argument" in -DoutputDirectory=*) touch "${argument#*=}/program.jar" ;; esac
done
"""
"""Leaves a folder where it runs, as the dependency plugin does without a project."""


def test_what_maven_leaves_where_it_runs_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(MAVEN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    beside = set(artifacts.POM.parent.iterdir())
    folder = artifacts.apicurio_folder()
    assert [path.name for path in folder.iterdir()] == ["program.jar"]
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}
    assert set(artifacts.POM.parent.iterdir()) == beside
