from __future__ import annotations

import pytest

from streams.identity.blocked import BLOCKED, is_blocked
from streams.identity.data import lines, words
from streams.identity.reference import RARE_FAMILY_BITS, shipped
from streams.identity.standardise.text import fold

REFERENCE = shipped()


def related(a: str, b: str) -> bool:
    return not set(REFERENCE.forms(a)).isdisjoint(REFERENCE.forms(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("bill", "william"),
        ("bob", "rob"),
        ("peggy", "margaret"),
        ("pepe", "jose"),
        ("hans", "johannes"),
        ("sasha", "alexander"),
    ],
)
def test_nicknames_are_related_to_what_they_stand_for(a: str, b: str) -> None:
    assert related(a, b)


@pytest.mark.parametrize(("a", "b"), [("alexander", "alexandra"), ("mary", "mark"), ("john", "jane"), ("peter", "paul")])
def test_formal_names_are_not_related_through_a_nickname_they_share(a: str, b: str) -> None:
    assert not related(a, b)


def test_common_names_are_worth_less_than_rare_ones() -> None:
    assert REFERENCE.family_bits("smith") < REFERENCE.family_bits("featherstonehaugh") == RARE_FAMILY_BITS
    assert REFERENCE.given_bits("john") < REFERENCE.given_bits("ximena") < REFERENCE.given_bits("xqzt")


def test_a_double_name_is_as_rare_as_its_rarest_word() -> None:
    assert REFERENCE.family_bits("smith featherstonehaugh") == RARE_FAMILY_BITS
    assert REFERENCE.family_bits("") == 0


def test_a_dictionary_name_is_attested_and_a_slip_is_not() -> None:
    assert REFERENCE.is_attested("michael")
    assert not REFERENCE.is_attested("micheal ")
    assert not REFERENCE.is_attested("xqzt")


def test_every_table_is_folded_as_it_is_looked_up() -> None:
    for file in ("given_names.txt", "family_names.txt", "nicknames.txt"):
        assert [line for line in lines(file) if fold(line) != line] == []
    for file in ("name_words.txt", "suffixes.txt", "organization_words.txt", "street_words.txt"):
        assert [word for found in words(file).values() for word in found if fold(word) != word] == []


@pytest.mark.parametrize("value", ["testing@post.example", "info@test.com", "x@y.example"])
def test_placeholders_of_mailboxes_are_blocked(value: str) -> None:
    assert is_blocked(value, BLOCKED.emails)


@pytest.mark.parametrize("value", ["tess.tester@post.example", "anna@testing-labs.example", "nora@post.example"])
def test_mailboxes_that_only_look_like_placeholders_are_not(value: str) -> None:
    assert not is_blocked(value, BLOCKED.emails)
