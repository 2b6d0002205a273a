"""Each kind of value is written as fastavro writes it. What is made of them is compared in test_public."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro_writer import FLAG, KNOWN, SHORT, long, optional_string, plain, string, strings

TEXTS = ["", "a", "é", "a" * 63, "a" * 64, "é" * 32, "é" * 2000]


def as_fastavro(kind: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(kind), value)
    return out.getvalue()


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2 * KNOWN))
def test_numbers(number: int) -> None:
    assert long(number) == as_fastavro({"type": "long"}, number)


@pytest.mark.parametrize("text", [*TEXTS, None])
def test_strings(text: str | None) -> None:
    assert optional_string(text) == as_fastavro(["null", "string"], text)
    if text is not None:
        assert string(text) == as_fastavro({"type": "string"}, text)


@pytest.mark.parametrize("texts", [[], ["a"], TEXTS, ["a"] * 100])
def test_arrays_of_strings(texts: list[str]) -> None:
    assert strings(texts) == as_fastavro({"type": "array", "items": "string"}, texts)


class Word(NamedTuple):
    text: str
    known: bool
    other: str


@plain("text", "known", "other")
def encode_word(word: Word) -> str:
    return f"{SHORT[len(word.text)]}{word.text}{FLAG[word.known]}{SHORT[len(word.other)]}{word.other}"


@pytest.mark.parametrize("other", TEXTS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("text", TEXTS)
def test_a_record_of_strings_and_booleans(text: str, known: bool, other: str) -> None:
    kinds = {"text": "string", "known": "boolean", "other": "string"}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    word = Word(text, known, other)
    assert encode_word(word) == as_fastavro({"type": "record", "name": "W", "fields": fields}, word._asdict())
