from __future__ import annotations

import pytest

from schemas.canonical import Name
from streams.identity.standardise.names import NOBODY, Parsed, person


@pytest.mark.parametrize(
    "full",
    [
        "John A Smith",
        "Mr John A Smith",
        "SMITH, JOHN A",
        "Smith, Mr. John A.",
        "Prof. Dr. John A Smith MBA",
        "  john   a smith ",
    ],
)
def test_a_full_line_has_one_meaning_however_it_is_written(full: str) -> None:
    assert person(Name(full=full)) == Parsed("john", "a", "smith", "")


@pytest.mark.parametrize(
    "full", ["John Smith Jr", "John Smith, Jr.", "Smith, John, Jr", "Smith Jr, John", "Mr John Smith jnr"]
)
def test_a_generation_suffix_is_found_wherever_it_stands(full: str) -> None:
    assert person(Name(full=full)) == Parsed("john", "", "smith", "jr")


def test_roman_numerals_are_suffixes() -> None:
    assert person(Name(given="John", family="Smith III")).suffix == "3"
    assert person(Name(given="John", family="Smith", suffix="Sr.")).suffix == "sr"


def test_a_title_in_front_is_no_suffix() -> None:
    assert person(Name(full="Sr Juan Ramos")) == Parsed("juan", "", "ramos", "")


@pytest.mark.parametrize("family", ["van der Berg", "Berg", "Van Der BERG", "von Berg"])
def test_particles_are_no_part_of_a_family_name(family: str) -> None:
    assert person(Name(given="Anna", family=family)).family == "berg"


def test_particles_belong_to_the_family_name_of_a_full_line() -> None:
    assert person(Name(full="Anna Maria van der Berg")) == Parsed("anna", "maria", "berg", "")


@pytest.mark.parametrize(
    ("family", "folded"),
    [
        ("O'Brien", "obrien"),
        ("O Brien", "obrien"),
        ("Mac Donald", "macdonald"),
        ("Smith-Jones", "smith jones"),
        ("De La", "de la"),
    ],
)
def test_family_names_in_several_pieces(family: str, folded: str) -> None:
    assert person(Name(given="Anna", family=family)).family == folded


def test_further_given_names_go_to_the_middle() -> None:
    assert person(Name(given="Jean-Pierre", middle="Marie", family="Petit")) == Parsed("jean", "pierre marie", "petit", "")


def test_a_single_word_is_a_family_name() -> None:
    assert person(Name(full="Weatherby")) == Parsed("", "", "weatherby", "")


def test_no_name_is_nobody() -> None:
    assert person(Name()) == NOBODY
    assert person(Name(full=" , ")) == NOBODY
