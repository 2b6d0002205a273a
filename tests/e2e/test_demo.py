"""The demo as a person starts it, kills it, and starts it again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.logs.embedded import EmbeddedLog
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES, INBOXES, subscriber_topic
from streams.app.demo import LEFTOVER_SECONDS, SECRET_FILE
from streams.app.embedded import data_paths
from tests.command_line import CommandLine
from tests.e2e.doomed import CUSTOMERS, PUBLISHED, PUBLISHING, SEED, Doom, start
from tests.e2e.processes import singleview as singleview_process
from tests.e2e.views import View, comparable, latest_views

KEYS = {
    "events",
    "records",
    "customers",
    "merges",
    "notifications",
    "stale",
    "dead_letters",
    "seconds",
    "events_per_second",
    "precision",
    "recall",
}
EXTRA_KEYS = {"splits", "f1", "example"}
SAME = ("events", "records", "customers", "stale", "dead_letters", "precision", "recall")
"""What a run that was killed has in common with one that was not; it may have merged and split in another order."""

PATIENCE = 120.0
ARGUMENTS = ("--customers", str(CUSTOMERS), "--seed", str(SEED), "--json")
Result = dict[str, Any]


def demo_process(folder: Path, **popen: Any) -> subprocess.Popen[bytes]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return singleview_process("demo", *ARGUMENTS, "--data", str(folder), **pipes, **popen)


def run_to_the_end(folder: Path) -> Result:
    process = demo_process(folder)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err.decode()
    result: Result = json.loads(out)
    return result


@contextmanager
def opened(folder: Path) -> Iterator[EmbeddedLog]:
    with closing(EmbeddedLog(data_paths(folder)[0])) as log:
        yield log


def views(folder: Path) -> dict[frozenset[str], View]:
    with opened(folder) as log:
        return comparable(latest_views(log))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "data"
    (folder.parent / "result.json").write_text(json.dumps(run_to_the_end(folder)))
    return folder


def result_of(undisturbed: Path) -> Result:
    result: Result = json.loads((undisturbed.parent / "result.json").read_text())
    return result


def dooms(seed: int) -> list[Doom]:
    """Where one demo is killed, start after start: twice while publishing, then at each step of the commit protocol."""
    random = Random(seed)
    publishing = [Doom(where, random.randint(1, 3)) for where in (PUBLISHED, PUBLISHING)]
    steps = random.sample(range(1, 8), 7)
    return [*publishing, *(Doom(step, random.randint(1, 8)) for step in steps)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_demo_killed_at_every_step_ends_as_one_that_was_left_alone(seed: int, undisturbed: Path, tmp_path: Path) -> None:
    for doom in dooms(seed):
        assert start(tmp_path, doom) == -signal.SIGKILL, f"{doom} did not come"
    result, expected = run_to_the_end(tmp_path), result_of(undisturbed)
    assert {key: result[key] for key in SAME} == {key: expected[key] for key in SAME}
    assert views(tmp_path) == views(undisturbed)
    assert_told_once_and_in_order(tmp_path)


def assert_told_once_and_in_order(folder: Path) -> None:
    """Every version of every customer is told once, the next after the last, and is what the view says."""
    versions: dict[str, int] = {}
    with opened(folder) as log:
        codec = PublicCodec(log.registry())
        for message in log.messages(CUSTOMER_CHANGES):
            change = codec.decode_change(message.value or b"")
            assert change.event_id == f"{change.customer_id}:{change.version}"
            assert change.version == versions.get(change.customer_id, 0) + 1
            versions[change.customer_id] = change.version
        assert {view["customer_id"]: view["version"] for view in latest_views(log)} == versions
        assert log.end(subscriber_topic("warehouse"), 0) == log.end(CUSTOMER_CHANGES, 0)
        for inbox in INBOXES:
            assert list(log.messages(inbox)) == [], "all is consumed"


def test_the_command_killed_at_any_moment_goes_on_when_started_again(undisturbed: Path, tmp_path: Path) -> None:
    random, folder = Random(3), tmp_path / "data"
    killed = 0
    for _ in range(3):
        process = demo_process(folder)
        deadline = time.monotonic() + PATIENCE
        while not folder.exists() and process.poll() is None:
            assert time.monotonic() < deadline
            os.sched_yield()
        try:
            process.wait(random.uniform(0.0, 1.5))
        except subprocess.TimeoutExpired:
            killed += 1
        process.kill()
        process.communicate()
    assert killed, "the demo was too quick to be killed"
    result, expected = run_to_the_end(folder), result_of(undisturbed)
    assert {key: result[key] for key in SAME} == {key: expected[key] for key in SAME}
    assert views(folder) == views(undisturbed)


def has_secret(folder: Path, _since: int) -> bool:
    """The last that a start writes before its children: they are about to start."""
    return (folder / SECRET_FILE).exists()


def has_opened_a_store(folder: Path, since: int) -> bool:
    """A child is at work: RocksDB writes this file whenever it opens a store."""
    opened = data_paths(folder)[1].glob("identity/*/CURRENT")
    return any(current.stat().st_mtime_ns > since for current in opened)


def test_ctrl_c_ends_the_demo_and_its_children_in_order_and_it_goes_on_when_started_again(
    undisturbed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    for begun in (has_secret, has_opened_a_store):
        (folder / SECRET_FILE).unlink(missing_ok=True)
        since = time.time_ns()
        # A shell that runs the tests in the background has them, and all they start, ignore the interrupt.
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = demo_process(folder, start_new_session=True, preexec_fn=heed)
        deadline = time.monotonic() + PATIENCE
        while not begun(folder, since):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the children too
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode != 0, out) == (True, b"")
        assert b"Traceback" not in err
    result, expected = run_to_the_end(folder), result_of(undisturbed)
    assert {key: result[key] for key in SAME} == {key: expected[key] for key in SAME}


def test_the_demo_runs_where_the_system_does_not_tell_its_cores(
    singleview: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert singleview("demo", "--customers", 5, "--data", tmp_path, "--json").code == 0


def test_the_json_object_has_the_promised_keys_and_says_what_the_folder_holds(undisturbed: Path) -> None:
    result = result_of(undisturbed)
    assert result.keys() == KEYS | EXTRA_KEYS
    with opened(undisturbed) as log:
        statuses = [view["status"] for view in latest_views(log)]
        assert result["customers"] == statuses.count("active")
        assert result["notifications"] == log.end(CUSTOMER_CHANGES, 0)
        assert sum(result["dead_letters"].values()) == log.end("dead-letters", 0) > 0
    assert result["events"] > CUSTOMERS
    assert result["records"] > result["customers"] > CUSTOMERS * 0.9
    assert result["seconds"] > 0
    assert result["events_per_second"] == pytest.approx(result["events"] / result["seconds"], rel=0.01)


def test_a_person_is_told_the_same_counts_and_what_to_do_next(singleview: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    told = singleview("demo", "--customers", 40, "--data", folder)
    again = singleview("demo", "--customers", 40, "--data", folder, "--json")
    assert (told.code, again.code) == (0, 0)
    result = json.loads(again.out)
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    for words, key in (("events", "events"), ("source records", "records"), ("customers", "customers")):
        assert f"{words} {result[key]:,}" in lines
    assert f"change notifications {result['notifications']:,}" in lines
    assert "events/s" in told.out
    assert "Five source systems, one customer view" in told.out.splitlines()
    (next_step,) = [line for line in lines if "singleview show" in line]
    shown = singleview(*next_step.partition("singleview ")[2].split())
    assert shown.code == 0
    assert result["example"] in shown.out


def test_another_demo_is_not_mixed_into_a_folder(singleview: CommandLine, tmp_path: Path) -> None:
    assert singleview("demo", "--customers", 5, "--data", tmp_path).code == 0
    for other in (["--customers", 6], ["--customers", 5, "--seed", 1]):
        refused = singleview("demo", *other, "--data", tmp_path)
        assert refused.code == 2
        assert "customers=5 seed=42" in refused.err
        assert "--fresh" in refused.err
    assert singleview("demo", "--customers", 6, "--data", tmp_path, "--fresh", "--json").code == 0
    assert singleview("demo", "--customers", 6, "--data", tmp_path, "--json").code == 0


def test_fresh_removes_nothing_that_is_not_a_demo(singleview: CommandLine, tmp_path: Path) -> None:
    precious = tmp_path / "photographs"
    precious.touch()
    refused = singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh")
    assert refused.code == 2
    assert "photographs" in refused.err
    assert precious.exists()
    precious.unlink()
    assert singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh").code == 0
    precious.touch()  # next to a demo
    assert singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh").code == 2
    assert precious.exists()


def test_fresh_removes_no_log_that_is_not_a_demos(singleview: CommandLine, tmp_path: Path) -> None:
    log, _ = data_paths(tmp_path)
    log.write_bytes(b"something else of this name, and much longer than a header of SQLite, which is a hundred bytes " * 9)
    damaged = singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh")
    assert damaged.code == 2
    assert str(log) in damaged.err
    assert log.exists()
    log.unlink()
    with closing(sqlite3.connect(log)) as other:
        other.execute("CREATE TABLE photographs (name)")
    assert singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh").code == 2
    assert log.exists()


@pytest.mark.parametrize("first", [0, 4096], ids=["whole", "after its first page"])
def test_a_damaged_log_is_told_at_once_and_fresh_begins_anew(singleview: CommandLine, tmp_path: Path, first: int) -> None:
    assert singleview("demo", "--customers", 5, "--data", tmp_path).code == 0
    log, _ = data_paths(tmp_path)
    log.write_bytes(log.read_bytes()[:first] + b"garbage!" * 10_000)
    began = time.monotonic()
    damaged = singleview("demo", "--customers", 5, "--data", tmp_path)
    assert time.monotonic() - began < LEFTOVER_SECONDS
    assert damaged.code == 1
    assert f"demo --fresh --data {tmp_path}" in damaged.err
    assert singleview("demo", "--customers", 5, "--data", tmp_path, "--fresh").code == 0


def test_a_demo_waits_for_the_end_of_another_that_has_its_folder(singleview: CommandLine, tmp_path: Path) -> None:
    assert singleview("demo", "--customers", 5, "--data", tmp_path).code == 0
    script = f"""import sqlite3, time
db = sqlite3.connect({str(data_paths(tmp_path)[0])!r}, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("has it", flush=True)
time.sleep(1.5)"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"has it\n"
        assert singleview("demo", "--customers", 5, "--data", tmp_path).code == 0


def test_a_folder_in_use_is_neither_removed_nor_read(singleview: CommandLine, tmp_path: Path) -> None:
    assert singleview("demo", "--customers", 5, "--data", tmp_path).code == 0
    with opened(tmp_path):
        for arguments in (("demo", "--customers", 5, "--fresh"), ("demo", "--customers", 5), ("show", "north/crm/1")):
            refused = singleview(*arguments, "--data", tmp_path)
            assert refused.code == 1
            assert "another singleview" in refused.err
