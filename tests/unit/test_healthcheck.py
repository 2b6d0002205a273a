"""deploy/healthcheck.py: what it says of a configuration that is no use, and of processes that are alive or not."""

from __future__ import annotations

import runpy
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from streams.app.endpoints import Place, announced, endpoints_file
from streams.app.health import Health
from streams.app.observe import Address, Endpoint

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


def endpoint(live: bool) -> Endpoint:
    def healths(now: float) -> list[Health]:
        return [Health("records", live, False, "a store is restored", 1, 1, {}, {})]

    return Endpoint(Address("127.0.0.1", 0), lambda: b"", healths)


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Runs the check of instance `a` whose data folder is this one: what it says, nothing if all is well."""
    path = tmp_path / "singleview.yaml"
    path.write_text("realms: {north: 0}\nsources: [crm.yaml]\nobserve: {listen: 127.0.0.1:9108}\n")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(path), "a"])

    def run() -> str:
        try:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        except SystemExit as ended:
            return str(ended.code)
        return ""

    return run


def test_a_container_is_healthy_while_every_process_of_it_is_alive_ready_or_not(
    tmp_path: Path, check: Callable[[], str]
) -> None:
    with ExitStack() as stack:
        places = [Place(*stack.enter_context(endpoint(live=True)).address) for _ in range(3)]
        stack.enter_context(announced(endpoints_file(tmp_path / "data", "a"), places))
        assert check() == ""


def test_a_processor_that_hangs_in_any_of_its_processes_makes_a_container_unhealthy(
    tmp_path: Path, check: Callable[[], str]
) -> None:
    with endpoint(live=True) as fine, endpoint(live=False) as hung:
        places = [Place(*fine.address), Place(*hung.address)]
        with announced(endpoints_file(tmp_path / "data", "a"), places):
            said = check()
    assert said.startswith(f"unhealthy: {places[1]}: ")
    assert '"records":false' in said
    assert str(places[0]) not in said


def test_a_process_that_does_not_answer_makes_a_container_unhealthy(tmp_path: Path, check: Callable[[], str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        place = Place(*taken.getsockname())
        with announced(endpoints_file(tmp_path / "data", "a"), [place]):
            assert check() == f"unhealthy: {place}: does not answer (ConnectionRefusedError)"


def test_before_and_after_a_run_a_container_is_unhealthy(tmp_path: Path, check: Callable[[], str]) -> None:
    file = endpoints_file(tmp_path / "data", "a")
    assert check() == "unhealthy: no processors run as instance a"
    with announced(file, []):
        assert file.stat().st_mode & 0o777 == 0o600
    assert check() == "unhealthy: no processors run as instance a"
