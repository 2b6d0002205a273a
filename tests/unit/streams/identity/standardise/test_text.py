from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.identity.standardise.sound import SKELETON_LENGTH, skeleton, sound
from streams.identity.standardise.text import code, fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("José María", "jose maria"),
        ("Müller", "muller"),
        ("Straße", "strasse"),
        ("Łukasz Đoković", "lukasz dokovic"),
        ("Søren Ærø", "soren aero"),
        ("Νίκος Παπαδόπουλος", "nikos papadopoulos"),
        ("Сергей Щукин", "sergei shchukin"),
        ("D\u2019Angelo", "dangelo"),
        ("SMITH--JONES", "smith jones"),
        ("\tA.  B. \n", "a b"),
        ("", ""),
    ],
)
def test_spellings_fold_to_plain_letters(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(text=st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=st.text(max_size=40))
def test_a_code_is_upper_case_letters_and_digits(text: str) -> None:
    found = code(text)
    assert found == "" or (found.isascii() and found.isalnum() and found == found.upper())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("stephen", "steven"),
        ("catherine", "katherine"),
        ("philip", "filip"),
        ("sara", "sarah"),
        ("meyer", "meier"),
        ("anne", "ann"),
    ],
)
def test_names_that_sound_alike(a: str, b: str) -> None:
    assert sound(a) == sound(b)


@pytest.mark.parametrize(
    ("a", "b"), [("john", "jane"), ("mary", "mark"), ("paul", "paula"), ("erik", "erika"), ("peter", "petra")]
)
def test_names_that_do_not(a: str, b: str) -> None:
    assert sound(a) != sound(b)


@pytest.mark.parametrize(
    ("a", "b"), [("smith", "smyth"), ("mueller", "muller"), ("schmidt", "schmitt"), ("thompson", "tompson")]
)
def test_a_skeleton_is_generous(a: str, b: str) -> None:
    assert skeleton(a) == skeleton(b)


@given(text=st.text(max_size=40))
def test_a_skeleton_is_short_and_empty_only_for_nothing(text: str) -> None:
    found = skeleton(fold(text))
    assert len(found) <= SKELETON_LENGTH
