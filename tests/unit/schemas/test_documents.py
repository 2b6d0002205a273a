from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import MAX_BYTES, Document, DocumentError, load_document, parse_document


class Field(Document):
    path: str
    format: Literal["iso", "days"] = "iso"


class Sample(Document):
    name: str
    topics: tuple[str, ...] = ()
    limit: int = 0
    strict: bool = False
    fields: dict[str, Field] = {}  # noqa: RUF012  (pydantic copies it)
    steps: tuple[Field, ...] = ()
    either: int | Field = 0


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, Sample, "a.yaml")
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [str(problem) for problem in caught.value.problems]


def test_a_document_becomes_its_model() -> None:
    text = "name: a\ntopics: [b, c]\nlimit: 3\nstrict: true\nfields: {x: {path: p}}\nsteps:\n- path: q\n  format: days\n"
    assert parse_document(text, Sample, "a.yaml") == Sample(
        name="a",
        topics=("b", "c"),
        limit=3,
        strict=True,
        fields={"x": Field(path="p")},
        steps=(Field(path="q", format="days"),),
    )


@pytest.mark.parametrize("text", ["NO", "no", "on", "2024-01-01", "1:20", "0123", "1_000", "=", "0x1f", "yes", ".inf"])
def test_what_other_yaml_would_turn_into_something_else_stays_text(text: str) -> None:
    assert parse_document(f"name: {text}", Sample, "a.yaml").name == text


def test_keys_are_text_as_written() -> None:
    assert set(parse_document("name: a\nfields: {1: {path: p}, true: {path: p}, ~: {path: p}}", Sample, "a").fields) == {
        "1",
        "true",
        "~",
    }


def test_all_problems_are_listed_with_their_lines() -> None:
    fields = "fields:\n  x: {path: p, format: days}\n  y:\n    path: 3\n    format: dayz\n"
    text = f"nam: a\nlimit: many\n{fields}steps:\n- path: p\n- 7\n"
    assert problems(text) == [
        "a.yaml:1: nam: unknown key 'nam', did you mean 'name'? "
        "(allowed: either, fields, limit, name, steps, strict, topics)",
        "a.yaml:1: name: is missing",
        "a.yaml:2: limit: must be a whole number",
        "a.yaml:6: fields.y.path: must be text (put quotes around a number)",
        "a.yaml:7: fields.y.format: is 'dayz', did you mean 'days'? (allowed: iso, days)",
        "a.yaml:10: steps[1]: must be a mapping (key: value)",
    ]


def test_an_unknown_key_deep_inside_names_the_keys_of_its_own_place() -> None:
    assert problems("name: a\nfields:\n  x:\n    path: p\n    fromat: iso") == [
        "a.yaml:5: fields.x.fromat: unknown key 'fromat', did you mean 'format'? (allowed: format, path)"
    ]
    assert problems("name: a\nsteps: [{path: p, zzz: 1}]") == [
        "a.yaml:2: steps[0].zzz: unknown key 'zzz' (allowed: format, path)"
    ]


def test_what_the_members_of_a_union_say_about_one_place_is_one_problem() -> None:
    assert problems("name: a\neither: x") == ["a.yaml:2: either: must be a whole number or must be a mapping (key: value)"]


def test_a_missing_key_is_reported_at_the_line_of_what_lacks_it() -> None:
    assert problems("name: a\nsteps:\n- path: p\n- format: iso") == ["a.yaml:4: steps[1].path: is missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b", "a.yaml:2: name: is a duplicate key, first on line 1"),
        ("name: &x a\nlimit: *x", "a.yaml:1: not YAML: anchors and aliases (&, *) are not allowed"),
        ("name: *x", "a.yaml:1: not YAML: anchors and aliases (&, *) are not allowed"),
        (
            "name: !!python/name:os.system x",
            "a.yaml:1: name: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed",
        ),
        ("name: !!set {a}", "a.yaml:1: name: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("? [a]\n: b", "a.yaml:1: a key must be text"),
        ("limit: " + "9" * 100, "a.yaml:1: limit: is too long for a number"),
        (
            "name: a\ntopics: [",
            "a.yaml:2: not YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
        ),
        (
            "name: a\n---\nname: b",
            "a.yaml:2: not YAML: expected a single document in the stream, but found another document",
        ),
        ("name: a\nlimit: \x07", "a.yaml:2: not YAML: special characters are not allowed"),
        ("", "a.yaml:1: is empty"),
        ("# nothing", "a.yaml:1: is empty"),
        ("- a", "a.yaml:1: must be a mapping (key: value)"),
        ("[" * 3000, "a.yaml:1: not YAML: nested deeper than 50"),
        ("x" * (MAX_BYTES + 1), "a.yaml:1: is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_a_document_cannot_be_changed() -> None:
    document = parse_document("name: a", Sample, "a.yaml")
    with pytest.raises(ValueError, match="frozen"):
        document.name = "b"


def test_a_file_is_read_and_named_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: Zoë", encoding="utf-8")
    assert load_document(file, Sample).name == "Zoë"
    file.write_text("name: 1")
    with pytest.raises(DocumentError, match=f"^{file}:1: name: must be text"):
        load_document(file, Sample)


def test_a_file_that_cannot_be_read_is_a_document_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.yaml: cannot be read: No such file"):
        load_document(tmp_path / "none.yaml", Sample)
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ntopics: [\xe9]")
    with pytest.raises(DocumentError, match=r"latin\.yaml:2: is not UTF-8 text"):
        load_document(tmp_path / "latin.yaml", Sample)
    (tmp_path / "large.yaml").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(DocumentError, match="is larger than"):
        load_document(tmp_path / "large.yaml", Sample)


YAMLISH = st.lists(
    st.sampled_from(
        ["name", "steps", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&a", "*a", "!!", "'", '"', "1", "|", "?", "é"]
    )
).map("".join)


@given(st.text() | YAMLISH)
def test_any_text_is_a_document_or_a_document_error(text: str) -> None:
    with suppress(DocumentError):
        parse_document(text, Sample, "a.yaml")
