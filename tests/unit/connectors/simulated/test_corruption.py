from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated import corruption

rngs = st.integers(0, 2**32).map(Random)
births = st.dates(date(1930, 1, 1), date(2010, 12, 31)).map(date.isoformat)


@given(rngs, births)
def test_a_wrong_birth_date_is_another_real_date(rng: Random, birth: str) -> None:
    wrong = corruption.wrong_birth(rng, birth)
    assert date.fromisoformat(wrong).isoformat() != birth


@given(births)
def test_exchanging_day_and_month_gives_a_real_date_and_twice_gives_the_first(birth: str) -> None:
    swapped = corruption.swapped_birth(birth)
    date.fromisoformat(swapped)
    assert corruption.swapped_birth(swapped) == birth


@given(rngs, st.text("abcdefghijklmnopqrstuvwxyz ", min_size=3, max_size=30))
def test_a_slip_keeps_the_first_letter_and_changes_two_places_at_most(rng: Random, text: str) -> None:
    for slip in (corruption.typo, corruption.misheard, corruption.misread):
        wrong = slip(rng, text)
        assert wrong[0] == text[0]
        assert abs(len(wrong) - len(text)) <= 1


@given(rngs, st.from_regex(r"\+44[0-9]{10}", fullmatch=True))
def test_one_of_the_last_digits_of_a_number_is_wrong(rng: Random, number: str) -> None:
    wrong = corruption.wrong_digit(rng, number)
    assert sum(a != b for a, b in zip(wrong, number, strict=True)) == 1
    assert wrong[:-6] == number[:-6]


def test_plain_text_has_only_small_latin_letters_and_digits() -> None:
    assert corruption.plain("Dún Laoghaire-Weiß 7") == "dunlaoghaireweiss7"


def test_streets_are_shortened_as_people_do() -> None:
    assert corruption.short_street("High Street") == "High St"
    assert corruption.short_street("Hauptstraße") == "Hauptstr."
    assert corruption.short_street("Calle de Mayor") == "C/ de Mayor"
    assert corruption.short_street("Mill Tor") == "Mill Tor"
