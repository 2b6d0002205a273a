"""Server processes of the tests start, fail, stop and die as they should; `sh` and `sleep` stand in for servers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts.part import PartStartError
from tests.parts.process import ServerProcess, gone

Make = Callable[..., ServerProcess]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda *command: ServerProcess("server", command, tmp_path / "log", tmp_path)


def test_a_server_that_ends_while_starting_is_an_error_with_its_last_words(make: Make) -> None:
    server = make("sh", "-c", "echo no room here; exit 3")
    server.start()
    with pytest.raises(PartStartError, match=r"(?s)server ended with code 3 .*no room here"):
        server.wait_until(lambda: False, timeout=30)


def test_a_server_that_is_never_ready_is_killed(make: Make) -> None:
    server = make("sleep", "100")
    server.start()
    with pytest.raises(PartStartError, match="was not ready within 0 s"):
        server.wait_until(lambda: False, timeout=0)
    assert not server.running


@pytest.mark.parametrize("end", [ServerProcess.stop, ServerProcess.kill])
def test_a_server_runs_again_after_its_end_and_keeps_its_log(make: Make, end: Callable[[ServerProcess], None]) -> None:
    server = make("sh", "-c", "echo life; exec sleep 100")
    for lives in (1, 2):
        server.start()
        server.wait_until(lambda lives=lives: server.log().count("life") == lives, timeout=30)  # type: ignore[misc]
        end(server)
        assert not server.running
    assert server.pid is None


def test_stopping_what_was_never_started_does_nothing(make: Make) -> None:
    make("sleep", "100").stop()
    make("sleep", "100").kill()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's")
def test_a_server_dies_when_the_tests_are_killed(tmp_path: Path) -> None:
    tests = (
        "import pathlib, sys; from tests.parts.process import ServerProcess;"
        f"folder = pathlib.Path({str(tmp_path)!r});"
        "server = ServerProcess('server', ['sh', '-c', 'echo up; exec sleep 100'], folder / 'log', folder); server.start();"
        "server.wait_until(lambda: 'up' in server.log(), 30); print(server.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", tests], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert not gone(pid)
        run.send_signal(signal.SIGKILL)
        run.wait()
    deadline = time.monotonic() + 10
    while not gone(pid):
        assert time.monotonic() < deadline
