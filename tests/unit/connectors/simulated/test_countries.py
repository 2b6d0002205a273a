from __future__ import annotations

import phonenumbers
import pytest

from connectors.simulated import rates
from connectors.simulated.countries import (
    COUNTRIES,
    Country,
    address_line,
    landline,
    mobile,
    national_id,
    passport,
    postcode,
    registration,
    scramble,
    tax_id,
    written_phone,
)

each_country = pytest.mark.parametrize("country", COUNTRIES.values(), ids=list(COUNTRIES))


def test_every_country_customers_live_in_is_described() -> None:
    assert set(rates.COUNTRIES) == set(COUNTRIES)


def test_scrambled_numbers_never_repeat() -> None:
    assert len({scramble(serial, 4) for serial in range(10_000)}) == 10_000


@each_country
def test_phones_are_valid_and_never_repeat(country: Country) -> None:
    phones = [number(country, serial) for serial in range(1_000) for number in (mobile, landline)]
    assert len(set(phones)) == len(phones)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones[:200])


@each_country
def test_however_a_phone_is_written_it_is_the_same_number(country: Country) -> None:
    written = {written_phone(country, mobile(country, 5), style) for style in range(8)}
    assert len(written) >= 4
    for text in written:
        number = phonenumbers.parse(text, country.code)
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == mobile(country, 5)


@each_country
def test_identifications_never_repeat(country: Country) -> None:
    for kind in (passport, national_id, registration):
        assert len({kind(country, serial) for serial in range(2_000)}) == 2_000
    assert len({tax_id(serial) for serial in range(2_000)}) == 2_000


def test_junk_phones_stay_as_they_were_typed() -> None:
    assert written_phone(COUNTRIES["GB"], "0000000000", 5) == "0000000000"


def test_postcodes_belong_to_the_street() -> None:
    assert (
        postcode(COUNTRIES["GB"], "LS1", 14) == postcode(COUNTRIES["GB"], "LS1", 14) != postcode(COUNTRIES["GB"], "LS1", 15)
    )
    assert postcode(COUNTRIES["DE"], "506", 7) == "50607"


def test_house_numbers_stand_where_the_country_puts_them() -> None:
    assert address_line(COUNTRIES["GB"], "High Street", "12") == "12 High Street"
    assert address_line(COUNTRIES["DE"], "Hauptstraße", "12") == "Hauptstraße 12"
    assert address_line(COUNTRIES["ES"], "Calle Mayor", "12") == "Calle Mayor, 12"
