from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from streams.app.forked import Forked, when_parent_ends
from tests.parts.process import gone

PATIENCE = 30.0


def say(text: str, code: int) -> int:
    os.write(1, text.encode())  # what `print` writes to is pytest's own here
    return code


def until_input_ends() -> int:
    return len(os.read(0, 1))


def fail() -> int:
    raise LookupError("unforeseen")


def test_a_child_says_how_it_ended_and_what_it_printed() -> None:
    child = Forked(lambda: say("done", 3), "a child", keep_output=True)
    assert child.wait(PATIENCE) == 3
    assert child.poll() == 3
    assert child.output().split() == [b"done"]
    child.terminate()  # it has no process any more that could be hit


def test_a_child_that_fails_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    child = Forked(fail, "a child")
    assert child.wait(PATIENCE) == 1
    assert child.output() == b""
    assert "LookupError: unforeseen" in capfd.readouterr().err


def test_a_child_ends_when_told_whatever_its_parent_does_about_signals() -> None:
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        child = Forked(until_input_ends, "a child")
        assert child.wait(0.05) is None
        child.terminate()
        assert child.wait(PATIENCE) == -signal.SIGTERM
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_child_that_ignores_being_told_is_killed() -> None:
    def ignore() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(1, b"ignoring")
        return until_input_ends()

    child = Forked(ignore, "a child", keep_output=True)
    child.terminate()
    child.kill()
    assert child.wait(PATIENCE) in {-signal.SIGKILL, -signal.SIGTERM}
    child.output()


def test_a_child_is_listed_under_its_title() -> None:
    child = Forked(lambda: say(Path("/proc/self/cmdline").read_text(), 0), "run identity --instance a-1", keep_output=True)
    assert child.wait(PATIENCE) == 0
    assert child.output().decode().strip("\0\n ") == "run identity --instance a-1"


ORPHANS = """
import os
from streams.app.forked import Forked
from tests.unit.streams.app.test_forked import until_input_ends
children = [Forked(until_input_ends, "orphan") for _ in range(3)]
print(*[child.pid for child in children], flush=True)
os.kill(os.getpid(), 9)
"""


def test_all_children_notice_that_their_parent_was_killed() -> None:
    """Each by itself: none holds a copy of what tells another."""
    killed = subprocess.run([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, check=False, timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL
    left = [int(pid) for pid in killed.stdout.split()]
    assert len(left) == 3
    deadline = time.monotonic() + PATIENCE
    while left:
        left = [pid for pid in left if not gone(pid)]
        assert time.monotonic() < deadline, f"{left} still run"


def test_a_child_holds_no_end_of_another_childs_pipes() -> None:
    first = Forked(until_input_ends, "first")
    second = Forked(until_input_ends, "second")
    first._close(first._input)  # what the parent's death does to one of them
    assert first.wait(PATIENCE) == 0
    assert second.wait(0.05) is None
    second._close(second._input)
    assert second.wait(PATIENCE) == 0


def test_a_child_stops_when_the_other_end_of_its_input_is_gone() -> None:
    stopped = threading.Event()
    ours, parents = os.pipe()
    try:
        when_parent_ends(stopped.set, ours)
        os.write(parents, b"said by mistake")
        assert not stopped.wait(0.05)
        os.close(parents)
        assert stopped.wait(30)
    finally:
        os.close(ours)
