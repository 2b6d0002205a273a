from __future__ import annotations

import pytest

from schemas.canonical import Address
from streams.identity.blocked import BLOCKED
from streams.identity.standardise.address import Lines, address
from streams.identity.standardise.contacts import email, phone
from streams.identity.standardise.dates import birth
from streams.identity.standardise.numbers import gender
from streams.identity.standardise.organization import names_organization, organization

HIGH_STREET = Lines("12", "3", "high street", "leeds", "LS14DY", "GB")


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("1980", "1980"),
        ("1980-05", "198005"),
        ("1980-05-17", "19800517"),
        ("19800517", "19800517"),
        ("1980-05-17T00:00:00Z", "19800517"),
        ("1980-17-05", "19800517"),
        ("1980-00-00", "1980"),
        ("1980-05-00", "198005"),
        ("1980-13-13", "1980"),
        ("1492-05-17", ""),
        ("17/05/1980", ""),
        ("1900-01-01", ""),
    ],
)
def test_birth_dates(written: str, digits: str) -> None:
    assert birth(written, BLOCKED.births) == digits


@pytest.mark.parametrize("written", ["+447700900123", "07700 900123", "0044 7700 900 123", "(07700) 900-123"])
def test_a_telephone_is_its_last_nine_digits(written: str) -> None:
    assert phone(written) == "700900123"


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        (" Anna.Smith@Post.Example ", "anna.smith@post.example"),
        ("anna+shop@post.example", "anna@post.example"),
        ("Anna.Smith@googlemail.com", "annasmith@gmail.com"),
        ("no mailbox", ""),
        ("@post.example", ""),
    ],
)
def test_mailboxes(written: str, standard: str) -> None:
    assert email(written) == standard


@pytest.mark.parametrize(
    "written",
    [
        Address(house="12", unit="Flat 3", street="High Street", locality="Leeds", postcode="LS1 4DY", country="GB"),
        Address(unit="flat 3", street="12 High St.", locality="LEEDS", postcode="ls14dy", country="gb"),
        Address(street="Flat 3, 12 High St", locality="Leeds", postcode="LS1-4DY", country="GB"),
        Address(house="12", unit="3", street="12 High Street", locality="Leeds", postcode="LS1 4DY", country="GB"),
        Address(house="12", unit="Flat3", street="High Street", locality="Leeds", postcode="LS1 4DY", country="GB"),
    ],
)
def test_an_address_has_one_meaning_however_it_is_written(written: Address) -> None:
    assert address(written) == HIGH_STREET


@pytest.mark.parametrize(
    ("street", "standard", "house"),
    [
        ("Hauptstr. 5 a", "hauptstrasse", "5a"),
        ("Hauptstraße 5a", "hauptstrasse", "5a"),
        ("C/ Mayor 7", "calle mayor", "7"),
        ("Avenue C", "avenue c", ""),
        ("12-14 Mill Ln", "mill lane", "12"),
        ("5th Ave", "5th avenue", ""),
    ],
)
def test_streets_of_several_countries(street: str, standard: str, house: str) -> None:
    found = address(Address(street=street))
    assert (found.street, found.house) == (standard, house)


@pytest.mark.parametrize("street", ["Stephens Road", "Flatbush Avenue", "Roomer Lane", "Interlaken Strasse"])
def test_a_word_that_begins_like_one_for_a_unit_is_none(street: str) -> None:
    found = address(Address(street=street))
    assert (found.unit, found.street.split()[0]) == ("", street.split(maxsplit=1)[0].lower())


def test_the_long_form_of_a_us_zip_code_is_its_short_one() -> None:
    assert address(Address(postcode="10001-1234", country="US")).postcode == "10001"


@pytest.mark.parametrize(
    ("written", "core"),
    [
        ("Bright Harbour Ltd.", "bright harbour"),
        ("The Bright Harbour Company", "bright harbour"),
        ("Müller & Söhne G.m.b.H.", "muller sohne"),
        ("Petit S.A.R.L.", "petit"),
        ("Kowalski sp. z o.o.", "kowalski sp"),
        ("AG", "ag"),
    ],
)
def test_organizations_lose_their_legal_form(written: str, core: str) -> None:
    assert organization(written) == core


def test_only_clear_legal_forms_tell_an_organization_from_a_person() -> None:
    assert names_organization("Bright Harbour Ltd")
    assert not names_organization("Maria Sa")
    assert not names_organization("John Smith")


@pytest.mark.parametrize(
    ("written", "letter"), [("Male", "m"), ("F", "f"), ("weiblich", "f"), ("Hombre", "m"), ("X", ""), ("", "")]
)
def test_genders(written: str, letter: str) -> None:
    assert gender(written) == letter
