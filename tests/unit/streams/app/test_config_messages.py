"""What is wrong with a configuration is told in the words of the document, not of the library that reads it."""

from __future__ import annotations

import pytest

from schemas.documents import DocumentError, parse_document
from streams.app.config import Configuration

NEEDED = {"realms": "realms: {north: 0}", "sources": "sources: [crm.yaml]"}


def told(line: str) -> str:
    lines = [*(text for key, text in NEEDED.items() if not line.startswith(key)), line]
    with pytest.raises(DocumentError) as caught:
        parse_document("\n".join(lines), Configuration, "singleview.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("partitions: 0", "partitions: must be at least 1"),
        ("partitions: 300", "partitions: must be at most 256"),
        ("partitions: 1.5", "partitions: must be a whole number"),
        ("dead_letters: {stop_share: 0}", "dead_letters.stop_share: must be more than 0"),
        ("prefix: a b", "prefix: must fit the pattern ^[A-Za-z0-9._-]{0,64}$"),
        ("realms: {}", "realms: must have at least 1"),
        ("realms: {a b: 0}", "realms.a b: must fit the pattern ^[A-Za-z0-9_.-]{1,64}$"),
        ("sources: []", "sources: must have at least 1"),
        ("sources: [1]", "sources[0]: must be the path of a file or folder"),
        ("data: 3", "data: must be the path of a file or folder"),
        ("survivorship: []", "survivorship: must be the path of a file or folder"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(line: str, said: str) -> None:
    assert told(line) == f"singleview.yaml:{2 if line.startswith(tuple(NEEDED)) else 3}: {said}"


@pytest.mark.parametrize("value", ["[1]", "{a: 1}", "null", "true", "''", "-1", "99999999999999999999", "x", "1.5", "[[]]"])
@pytest.mark.parametrize("key", list(Configuration.model_fields))
def test_no_message_speaks_of_python_or_its_libraries(key: str, value: str) -> None:
    try:
        said = told(f"{key}: {value}")
    except pytest.fail.Exception:
        return  # it is allowed
    for word in (
        "pydantic",
        "Input",
        "input should",
        "string should",
        "tuple",
        "dictionary",
        "pathlib",
        "class",
        "validation",
    ):
        assert word not in said
