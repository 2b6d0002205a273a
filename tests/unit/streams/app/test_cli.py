"""Every command: its help, its exit codes, its one JSON object, its messages."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from connectors.mappings import shipped_mapping
from streams.app import broker
from streams.app.cli import app
from streams.app.console import plain
from streams.app.inspect import open_folder
from streams.app.summary import memberships
from tests.command_line import CommandLine

COMMANDS = sorted(
    command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
)
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose broker and registry do not answer, in the current folder."""
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a secret of these tests alone")
    monkeypatch.setattr(broker, "PATIENCE_SECONDS", 0.5)
    monkeypatch.chdir(tmp_path)
    document = {
        "realms": {"north": 0, "south": 1},
        "sources": [str(shipped_mapping("orders"))],
        "kafka": {"bootstrap.servers": NOWHERE},
        "registry": {"url": f"http://{NOWHERE}"},
    }
    (tmp_path / "singleview.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_it_is_used(singleview: CommandLine, command: str) -> None:
    told = singleview(command, "--help")
    assert (told.code, told.err) == (0, "")
    assert f"singleview {command}" in told.out
    assert "--json" in told.out
    assert max(map(len, told.out.splitlines())) <= 80


def test_the_manual_names_every_command(singleview: CommandLine) -> None:
    told = singleview("--help")
    assert told.code == 0
    for command in COMMANDS:
        assert f" {command} " in told.out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("show",),
        ("show", "x", "--nonsense"),
        ("demo", "--customers", "0"),
        ("demo", "--customers", "many"),
        ("run", "nonsense"),
        ("why", "north/crm/1", "nonsense"),
        ("check", "not-there.yaml"),
        ("init", "--config", "not-there.yaml"),
        ("publish", "not-there"),
    ],
)
def test_wrong_use_is_exit_code_2_and_no_traceback(singleview: CommandLine, site: Path, arguments: tuple[str, ...]) -> None:
    told = singleview(*arguments)
    assert told.code == 2
    assert "Traceback" not in told.err


def test_where_programs_read_the_log_the_last_error_is_a_line_of_it(singleview: CommandLine, site: Path) -> None:
    told = singleview("run", "--processes", "1", "--log-format", "json")
    assert told.code == 1
    (line,) = told.err.splitlines()
    assert json.loads(line)["message"].startswith(f"failed: Kafka at {NOWHERE} cannot be used")


@pytest.mark.parametrize(
    "command",
    [("init",), ("run", "--processes", "1"), ("publish", "events"), ("show", "x", "--config", "singleview.yaml")],
)
def test_a_broker_that_is_away_is_one_message_that_says_where_and_what_to_do(
    singleview: CommandLine, site: Path, command: tuple[str, ...]
) -> None:
    assert singleview("generate", "--customers", 2, "--output", "events", "--json").code == 0
    told = singleview(*command)
    assert (told.code, told.out) == (1, "")
    assert f"failed: Kafka at {NOWHERE} cannot be used" in told.err
    assert "check that it runs" in told.err
    assert "Traceback" not in told.err


def test_a_setting_the_client_does_not_know_is_wrong_use(singleview: CommandLine, site: Path) -> None:
    text = (site / "singleview.yaml").read_text().replace("bootstrap.servers", "nonsense: x\n  bootstrap.servers")
    (site / "singleview.yaml").write_text(text)
    told = singleview("init")
    assert told.code == 2
    assert "nonsense" in told.err


def test_a_registry_that_is_away_is_said_with_its_address(singleview: CommandLine, site: Path) -> None:
    (site / "event.avro").write_bytes(b"\0\0\0\0\1")
    told = singleview("check", shipped_mapping("billing"), "event.avro", "--config", "singleview.yaml")
    assert told.code == 1
    assert NOWHERE in told.out


def test_mistakes_in_a_configuration_are_told_with_file_line_and_what_is_allowed(
    singleview: CommandLine, site: Path
) -> None:
    with (site / "singleview.yaml").open("a") as config:
        config.write("partition: 3\n")
    for command in ("init", "run"):
        told = singleview(command)
        assert told.code == 2
        line = (site / "singleview.yaml").read_text().count("\n")
        assert f"singleview.yaml:{line}: partition: unknown key" in told.err
        assert "partitions" in told.err


def test_mistakes_in_a_mapping_are_told_with_file_line_and_what_is_allowed(singleview: CommandLine, site: Path) -> None:
    text = shipped_mapping("orders").read_text()
    wrong = text.replace("operation: patch", "operation: path")
    (site / "wrong.yaml").write_text(wrong)
    line = wrong[: wrong.index("operation: path")].count("\n") + 1
    config = yaml.safe_load((site / "singleview.yaml").read_text())
    (site / "singleview.yaml").write_text(yaml.safe_dump({**config, "sources": ["wrong.yaml"]}))
    for arguments in (("check", "wrong.yaml"), ("init",), ("run",)):
        told = singleview(*arguments)
        assert told.code == 2
        assert f"wrong.yaml:{line}: operation" in told.err
        assert "snapshot" in told.err


def test_a_sample_that_would_be_a_dead_letter_fails_the_check(singleview: CommandLine, site: Path) -> None:
    customer = {"customerRef": "A", "seq": 1, "brand": "north", "country": "IE", "changes": {"type": "person"}}
    good = {"eventTime": "2024-01-01T00:00:00Z", "customer": customer}
    (site / "good.json").write_text(json.dumps(good))
    (site / "[bad].json").write_text(json.dumps({**good, "customer": {**customer, "customerRef": None}}))
    mapping = shipped_mapping("orders")
    told = singleview("check", mapping, "good.json", "[bad].json", "--json")
    assert told.code == 1
    assert "1 of 2 samples" in told.err
    events = json.loads(told.out)["events"]
    assert [event["reason"] for event in events] == ["", "missing-record-id"]
    told = singleview("check", mapping, "[bad].json")
    assert "[bad].json: missing-record-id" in told.out


def test_generate_writes_no_folder_over_another(singleview: CommandLine, tmp_path: Path) -> None:
    output = tmp_path / "events"
    told = singleview("generate", "--customers", 3, "--output", output, "--json")
    assert told.code == 0
    assert json.loads(told.out)["customers"] == 3
    again = singleview("generate", "--customers", 3, "--output", output)
    assert again.code == 2
    assert "exists already" in again.err


def test_a_folder_without_data_and_an_unknown_name_are_failed_work(singleview: CommandLine, tmp_path: Path) -> None:
    told = singleview("show", "x", "--data", tmp_path / "nothing")
    assert told.code == 1
    assert "singleview demo" in told.err
    assert not (tmp_path / "nothing").exists()


def test_control_characters_of_a_source_do_nothing_to_a_terminal() -> None:
    assert plain("a\x1b[2Jb\u202e[bold]").plain == r"a\x1b[2Jb\u202e[bold]"


@pytest.mark.parametrize("command", [("demo", "--data", "d"), ("generate", "--output", "d")])
def test_without_the_package_of_the_simulation_it_is_said_what_to_install_and_nothing_is_written(
    singleview: CommandLine, site: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    told = singleview(*command)
    assert told.code == 1
    assert "pip install 'singleview[demo]'" in told.err
    assert not (site / "d").exists()


def test_a_folder_s_name_may_hold_what_means_something_in_an_address(singleview: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "a#b?c=d%20e"
    told = singleview("demo", "--customers", 5, "--data", folder, "--json")
    assert told.code == 0
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "log.db").is_file()
    example = json.loads(told.out)["example"]
    assert singleview("show", example, "--data", folder, "--json").code == 0


def test_the_release_is_printed(singleview: CommandLine) -> None:
    assert singleview("--version") == (0, f"singleview {version('singleview')}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_commands(singleview: CommandLine, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    told = singleview("--show-completion", shell)
    assert told.code == 0
    assert "_SINGLEVIEW_COMPLETE" in told.out


SHOW = ("show", "north/crm/1")
WHY = ("why", "north/crm/1", "north/crm/2")


@pytest.mark.parametrize("command", [SHOW, WHY])
def test_show_and_why_look_into_the_deployment_of_the_current_folder_and_say_so(
    singleview: CommandLine, site: Path, command: tuple[str, ...]
) -> None:
    told = singleview(*command)
    assert told.err.startswith("looking into the deployment of singleview.yaml\n")
    assert f"Kafka at {NOWHERE} cannot be used" in told.err


@pytest.mark.parametrize("command", [SHOW, WHY])
def test_where_there_is_no_deployment_they_look_into_the_demo_s_folder_and_say_so(
    singleview: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    told = singleview(*command)
    assert told.code == 1
    assert told.err.startswith("looking into the data folder demo-data\n")
    for way in ("singleview demo", "--data", "--config"):
        assert way in told.err


@pytest.mark.parametrize("command", [SHOW, WHY])
def test_a_folder_is_looked_into_although_there_is_a_deployment(
    singleview: CommandLine, site: Path, command: tuple[str, ...]
) -> None:
    assert "nothing-there holds no data" in singleview(*command, "--data", "nothing-there").err
    told = singleview(*command, "--data", "nothing-there", "--config", "singleview.yaml")
    assert told.code == 2
    assert "name one of them" in told.err


def test_why_names_the_record_that_was_never_seen_and_the_realm_it_is_of_instead(
    singleview: CommandLine, tmp_path: Path
) -> None:
    singleview("demo", "--customers", 40, "--data", tmp_path, "--json")
    with open_folder(tmp_path) as place:
        north = next(record for record in memberships(place.tables) if record.startswith("north/"))
        south = next(record for record in memberships(place.tables) if record.startswith("south/"))
        elsewhere = f"south/{north.partition('/')[2]}"
    told = singleview("why", north, "north/crm/none", "--data", tmp_path)
    assert told.code == 1
    assert told.err.splitlines()[-1] == "failed: north/crm/none was never seen in realm north"
    told = singleview("why", north, elsewhere, "--data", tmp_path)
    assert told.err.splitlines()[-1] == f"failed: {elsewhere} was never seen in realm south; there is {north}"
    told = singleview("why", north, south, "--data", tmp_path)
    assert told.code == 0
    assert f"{north} is of north, {south} is of south." in " ".join(told.out.split())


def test_a_history_is_in_the_order_of_its_dates(singleview: CommandLine, tmp_path: Path) -> None:
    example = json.loads(singleview("demo", "--customers", 40, "--data", tmp_path, "--json").out)["example"]
    told = singleview("show", example, "--data", tmp_path).out
    history = told[told.index("History (") :]
    times = re.findall(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", history)
    assert len(times) == int(re.search(r"History \((\d+)\)", told)[1])  # type: ignore[index]
    assert times == sorted(times)


def test_a_file_that_is_not_there_has_no_first_line(singleview: CommandLine, site: Path) -> None:
    for arguments in (("check", "none.yaml"), ("init", "-c", "none.yaml"), ("resolve", "x", "-m", "none.yaml", "-o", "y")):
        assert singleview(*arguments).err == "error: none.yaml: cannot be read: No such file or directory\n"
