"""The rules document: what it accepts, and how it says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES
from schemas.documents import DocumentError, parse_document
from streams.survivorship import DEFAULT_RULES, Rules, default_rules, load_rules
from streams.survivorship.rules import AttributeRules, Choice
from streams.survivorship.strategies import STRATEGIES


def rules(text: str) -> Rules:
    return parse_document(text, Rules, "rules.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [crm]", "rules.yaml:1: version: is missing"),
        (
            "version: '1'\nattributes:\n  kind: {strategy: newest}",
            r"rules.yaml:3: attributes.kind.strategy: .*most_recent, source_",
        ),
        ("version: '1'\nattributes:\n  phonse: {}", r"rules.yaml:3: attributes.phonse: .*did you mean 'phones'"),
        ("version: '1'\nattributes:\n  kind: {strategy: union}", r"rules.yaml:3: attributes.kind.strategy: is 'union'"),
        ("version: '1'\nattributes:\n  kind:\n    key: [value]", r"rules.yaml:4: attributes.kind.key: .*allowed: sources"),
        (
            "version: '1'\nattributes:\n\n  phones: {key: [valeu]}",
            r"rules.yaml:4: .*'valeu' is no text field .*allowed: value, raw",
        ),
        (
            "version: '1'\nattributes:\n  consents: {key: [purpose, granted]}",
            r"rules.yaml:3: .*'granted' is no text field .*allowed: purpose, channel, at\)",
        ),
        ("version: '1'\nattributes:\n  phones: {date: verified}", r"rules.yaml:3: .*'verified' is no text field "),
        ("version: '1'\nattributes:\n  phones: {strategy: longest, key: [value]}", r"rules.yaml:3: .*belong to `union`"),
        (
            "version: '1'\nattributes:\n  phones: {limit: 0}",
            r"rules.yaml:3: attributes.phones.limit: must be at least 1",
        ),
        ("version: '1'\nsources: [crm, crm]", r"rules.yaml:2: sources: 'crm' stands in the list twice"),
        ("version: '1'\ncharacteristics:\n  x: {strategy: union}", r"rules.yaml:3: characteristics.x.strategy: is 'union'"),
    ],
)
def test_an_error_names_file_line_place_and_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        rules(text)


def test_the_rules_that_come_with_singleview_are_valid() -> None:
    assert default_rules().sources[0] == "crm"


def test_the_default_file_names_every_attribute() -> None:
    named = set(load_rules(DEFAULT_RULES).attributes.model_fields_set)
    assert named == {*ATTRIBUTES, "name", "address"} - {"characteristics"}


def test_every_list_attribute_has_default_key_fields() -> None:
    for attribute in LIST_ATTRIBUTES:
        assert AttributeRules().of_list(attribute).key


def test_every_strategy_a_rule_may_name_exists() -> None:
    assert set(get_args(Choice)) == set(STRATEGIES)


def test_the_full_version_changes_with_the_content_only(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text("# a comment\n" + DEFAULT_RULES.read_text())
    assert load_rules(copy).full_version == default_rules().full_version
    copy.write_text(DEFAULT_RULES.read_text().replace("[crm, billing, selfcare", "[billing, crm, selfcare"))
    assert load_rules(copy).full_version != default_rules().full_version
    assert load_rules(copy).full_version.startswith("1+")
