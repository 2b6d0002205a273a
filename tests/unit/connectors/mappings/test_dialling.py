"""Ordinary numbers: what is read without phonenumbers is what phonenumbers reads."""

from __future__ import annotations

import random
from itertools import product

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from connectors.mappings.dialling import ordinary, ordinary_international
from connectors.mappings.phones import parsed

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def is_right(written: str, region: str) -> bool:
    """Whether a number is read as phonenumbers reads it, or left to it."""
    digits = written.removeprefix("+")
    found = ordinary(digits, region) if digits == written else ordinary_international(digits)
    return found in {"", parsed(written, region)}


def examples(region: str) -> list[str]:
    """Numbers of a country, as they are written within it and abroad, and such that are nearly numbers."""
    chance = random.Random(region)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    prefixes = ["", "+", str(metadata.country_code), f"+{metadata.country_code}", metadata.national_prefix or "0", "0", "1"]
    found = []
    for kind in PhoneNumberType.values():
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            national = phonenumbers.national_significant_number(number)
            place = chance.randrange(len(national))
            near = [national[1:], national[:-1], national + "7", "0" + national[1:]]
            near.append(national[:place] + chance.choice("0123456789") + national[place + 1 :])
            found += [prefix + digits for prefix, digits in product(prefixes, [national, *near])]
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_every_kind_of_number_of_every_country_is_read_as_phonenumbers_reads_it(region: str) -> None:
    assert [written for written in examples(region) if not is_right(written, region)] == []


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(REGIONS), st.text("0123456789", min_size=1, max_size=17))
def test_any_digits_are_read_as_phonenumbers_reads_them(region: str, digits: str) -> None:
    assert is_right(digits, region)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(CODES), st.text("0123456789", max_size=15), st.sampled_from(["", "GB", "IT", "CA", "XX"]))
def test_any_international_digits_are_read_as_phonenumbers_reads_them(code: int, digits: str, region: str) -> None:
    assert is_right(f"+{code}{digits}", region)


def test_ordinary_numbers_are_not_left_to_phonenumbers() -> None:
    assert ordinary("02079460018", "GB") == "+442079460018"
    assert ordinary("015123456789", "DE") == "+4915123456789"
    assert ordinary("2125550123", "CA") == "+12125550123"
    assert ordinary_international("390612345678") == "+390612345678"


def test_what_takes_more_to_say_is_left_to_phonenumbers() -> None:
    assert ordinary("02079460018", "XX") == ""
    assert ordinary("00442079460018", "GB") == ""
    assert ordinary("442079460018", "GB") == ""
    assert ordinary_international("999123456") == ""
    assert ordinary_international("") == ""
