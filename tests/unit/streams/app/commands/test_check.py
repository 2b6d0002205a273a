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
    assert f"    names                    family: {FAMILY_NAME}\n" in told.out


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


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    path = tmp_path / "crm.yaml"
    path.write_text(
        "source: crm\nformat: json\nrealm: {constant: north}\nrecord_id: id\norder: {sequence: n}\nattributes:\n"
        "  names: {given: first, family: last}\n  emails: {value: email}\n  gender: sex\n"
        "  phones: {use: mobile, value: {path: phone, transform: {phone: {default_region: DE}}}}\n"
        "  characteristics: {tier: tier}\n"
    )
    return path


def test_people_see_a_line_for_each_attribute_and_programs_the_change(
    singleview: CommandLine, crm: Path, tmp_path: Path
) -> None:
    sample = tmp_path / "a.jsonl"
    event = {"id": "7", "n": 5, "first": "Ada", "last": "By\x1bron", "sex": None, "phone": "030 1", "tier": "x"}
    sample.write_text(json.dumps(event | {"email": "a@b.example"}))
    told = singleview("check", crm, sample)
    assert told.code == 0
    lines = [line.rstrip() for line in told.out.splitlines()]
    assert lines[1:7] == [
        "  snapshot of north/crm/7, order seq 0.5, event time 1970-01-01T00:00:00.000+00:00",
        "    names                    given: Ada, family: By\\x1bron",
        "    gender                   (empty)",
        "    emails                   value: a@b.example, raw: a@b.example",
        "    phones                   value: 030 1, raw: 030 1",
        "    characteristics.tier     x",
    ]
    report = json.loads(singleview("check", crm, sample, "--json").out)
    assert report["events"][0]["changes"][0]["attributes"]["gender"] is None


def test_paths_in_no_sample_are_named_and_what_looks_like_a_constant(
    singleview: CommandLine, crm: Path, tmp_path: Path
) -> None:
    sample = tmp_path / "a.jsonl"
    sample.write_text(json.dumps({"id": "7", "n": 5, "first": "Ada", "phone": "030 1", "sex": None}))
    told = singleview("check", crm, sample)
    assert told.code == 0
    assert "not found: last (attributes.names.family) is in no sample\n" in told.out
    assert "not found: email (attributes.emails.value) is in no sample\n" in told.out
    assert (
        "not found: DE (attributes.phones.value.transform.phone.default_region) is in no sample:"
        " if it is meant as the value, write {constant: DE}\n"
    ) in told.out
    assert "not found: mobile (attributes.phones.use) is in no sample: if it is meant as the value" in told.out
    assert "sex" not in told.out


def test_a_mapping_none_of_whose_paths_is_in_the_samples_fails(singleview: CommandLine, crm: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a.jsonl"
    sample.write_text('{"id": "7", "n": 5, "FIRST": "Ada"}\n')
    told = singleview("check", crm, sample)
    assert told.code == 2
    assert "crm.yaml:1: attributes: none of the paths below is in any sample" in told.err
    assert "not found: first (attributes.names.given) is in no sample" in told.out
