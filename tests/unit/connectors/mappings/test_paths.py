from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from connectors.mappings.paths import getter, parse_path
from connectors.mappings.unfit import UnfitError

ITEM = {"a": {"b": [{"c": 1}, {"c": None}]}, "n": None, "s": "text", "0": "zero"}
EVENT = {"top": {"x": 2}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("s", "text"),
        ("a.b.0.c", 1),
        ("a.b.1.c", None),
        ("a.b.2.c", UNSET),
        ("0", "zero"),
        ("missing", UNSET),
        ("a.missing.deeper", UNSET),
        ("n", None),
        ("n.deeper", None),
        ("/top.x", 2),
        ("/top/x", 2),
        ("/s", UNSET),
        (".", ITEM),
        ("/", EVENT),
    ],
)
def test_a_path_finds_a_value_a_null_or_nothing(path: str, found: object) -> None:
    assert getter(path)(ITEM, EVENT) == found


@pytest.mark.parametrize("path", ["s.deeper", "a.b.c", "a.b.-1"])
def test_text_or_a_list_where_an_object_was_expected_does_not_fit(path: str) -> None:
    with pytest.raises(UnfitError, match=f"path {path}: an object was expected"):
        getter(path)(ITEM, EVENT)


@pytest.mark.parametrize("text", ["", "a.", ".a", "a..b", "//", "/a//b"])
def test_a_path_with_an_empty_step_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        parse_path(text)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from("ab0"), x))
)
def test_no_document_breaks_a_path(document: object) -> None:
    try:
        getter("a.0.b")(document, document)
    except UnfitError as error:
        # The message names the path only, never what was found.
        assert error.what.startswith("path a.0.b: an object was expected before")  # noqa: PT017
