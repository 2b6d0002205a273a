"""What happens on a machine that cannot run a part, or can only half download it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import conftest
from tests.parts import KAFKA_ENV, REQUIRE_ENV, MissingPartError, artifacts, launch_kafka


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "singleview" / "parts"


@pytest.fixture
def bare_machine(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No container engine, no Java, no Maven; returns the folder that is all of PATH."""
    programs = cache.parent.parent / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return programs


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_machine_that_cannot_run_kafka_is_told_every_way(bare_machine: Path) -> None:
    with pytest.raises(MissingPartError) as caught:
        launch_kafka()
    text = str(caught.value)
    assert KAFKA_ENV in text
    assert "no container engine found" in text
    assert "no Java found" in text


def test_a_container_engine_that_does_not_answer_is_told_with_its_reason(bare_machine: Path) -> None:
    program(bare_machine, "docker", "echo 'is the docker daemon running?' >&2; exit 1")
    with pytest.raises(MissingPartError, match=r"docker info: is the docker daemon running\?"):
        launch_kafka()


def test_an_old_java_is_missing_java(bare_machine: Path) -> None:
    program(bare_machine, "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(MissingPartError, match=r"is too old \(openjdk version \"11.0.2\"\): install Java 17 or newer"):
        artifacts.java()


def test_a_missing_maven_is_named(bare_machine: Path) -> None:
    with pytest.raises(MissingPartError, match="no Maven found"):
        artifacts.kafka_libraries("4.4.0")


def test_a_failed_download_is_tried_again_then_told_and_leaves_nothing(bare_machine: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    program(bare_machine, "mvn", f"echo try >> {cache}/tries; echo network is down; exit 1")
    with pytest.raises(MissingPartError, match="network is down"):
        artifacts.kafka_libraries("4.4.0")
    assert (cache / "tries").read_text().count("try") == artifacts.ATTEMPTS
    assert not [path for path in cache.iterdir() if path.is_dir()]


def test_runs_at_the_same_time_download_once(bare_machine: Path, cache: Path) -> None:
    script = f'echo try >> {cache}/tries; for a; do case $a in -DoutputDirectory=*) echo x > "${{a#*=}}/a.jar";; esac; done'
    program(bare_machine, "mvn", script)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: artifacts.kafka_libraries("4.4.0"), range(4)))
    assert [(path / "a.jar").read_text() for path in folders] == ["x\n"]
    assert (cache / "tries").read_text().count("try") == 1


def test_a_missing_part_skips_a_test_unless_parts_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRE_ENV, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Java"):
        conftest.cannot_run("no Java")
    monkeypatch.setenv(REQUIRE_ENV, "1")
    with pytest.raises(pytest.fail.Exception, match="REQUIRE_PARTS=1, but no Java"):
        conftest.cannot_run("no Java")
