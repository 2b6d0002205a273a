"""What differs from country to country: numbers, postcodes, the order of an address line, forms of address.

Every number is drawn from a bijection of a serial, so it is unique without remembering those given out.
"""

from __future__ import annotations

from typing import NamedTuple

# Odd primes that end in neither 2 nor 5: multiplying by one permutes the numbers below a power of ten.
_STEP = 7_368_787
_SHIFT = 31_415_926
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Country(NamedTuple):
    code: str  # ISO 3166 alpha-2
    alpha3: str
    name: str
    locale: str  # Faker's
    dial: str
    trunk: str  # what a national number starts with
    mobiles: tuple[str, ...]  # prefixes of national significant numbers
    landlines: tuple[str, ...]
    mobile_digits: int  # after the prefix
    landline_digits: int
    house_first: bool
    male_title: str
    female_title: str
    legal_forms: tuple[tuple[str, str], ...]  # short and long spelling


COUNTRIES: dict[str, Country] = {
    country.code: country
    for country in (
        Country(
            "GB", "GBR", "United Kingdom", "en_GB", "44", "0", ("74", "75", "77", "78", "79"), ("207", "208"), 8, 7, True,
            "Mr", "Mrs", (("Ltd", "Limited"), ("PLC", "Public Limited Company"), ("LLP", "LLP")),
        ),
        Country(
            "IE", "IRL", "Ireland", "en_IE", "353", "0", ("85", "86", "87"), ("14", "16", "18"), 7, 6, True,
            "Mr", "Ms", (("Ltd", "Limited"), ("DAC", "Designated Activity Company")),
        ),
        Country(
            "US", "USA", "United States", "en_US", "1", "", ("2124", "3125", "4156", "6172", "7133", "2147"),
            ("2065", "3034", "4045", "5036"), 6, 6, True,
            "Mr", "Ms", (("Inc", "Incorporated"), ("LLC", "LLC"), ("Corp", "Corporation")),
        ),
        Country(
            "DE", "DEU", "Germany", "de_DE", "49", "0", ("1512", "1522", "1573"), ("302", "305"), 7, 7, False,
            "Herr", "Frau", (("GmbH", "Gesellschaft mit beschränkter Haftung"), ("AG", "Aktiengesellschaft"), ("KG", "KG")),
        ),
        Country(
            "FR", "FRA", "France", "fr_FR", "33", "0", ("61", "62", "66", "67"), ("142", "145"), 7, 6, True,
            "M.", "Mme", (("SARL", "S.A.R.L."), ("SA", "S.A."), ("SAS", "SAS")),
        ),
        Country(
            "ES", "ESP", "Spain", "es_ES", "34", "", ("60", "61", "65", "69"), ("915", "916", "917"), 7, 6, False,
            "Don", "Doña", (("SL", "S.L."), ("SA", "S.A.")),
        ),
    )
}  # fmt: skip


def scramble(serial: int, digits: int) -> str:
    """A number of `digits` digits that looks random; different for every serial below 10**digits."""
    space = 10**digits
    return str((serial * _STEP + _SHIFT) % space).zfill(digits)


def mobile(country: Country, serial: int) -> str:
    """A mobile number in E.164, unique by serial."""
    prefixes = country.mobiles
    return f"+{country.dial}{prefixes[serial % len(prefixes)]}{scramble(serial, country.mobile_digits)}"


def landline(country: Country, serial: int) -> str:
    """A fixed-line number in E.164, unique by serial."""
    prefixes = country.landlines
    return f"+{country.dial}{prefixes[serial % len(prefixes)]}{scramble(serial, country.landline_digits)}"


def written_phone(country: Country, number: str, style: int) -> str:
    """A number as people write it, in one of eight styles; what is not E.164 (junk) stays as it is."""
    if not number.startswith("+"):
        return number
    national = number[1 + len(country.dial) :]
    if style < 3:
        return f"{country.trunk}{national}"
    head, middle, tail = national[:3], national[3:6], national[6:]
    if style == 3:
        return f"{country.trunk}{head} {middle}{tail}"
    if style == 4:
        return f"({country.trunk}{head}) {middle}-{tail}"
    if style == 5:
        return f"+{country.dial} {head} {middle} {tail}"
    if style == 6 and country.code != "US":
        return f"00{country.dial} {head} {middle}{tail}"
    return number


def postcode(country: Country, prefix: str, street: int) -> str:
    """The postcode of one street of a place: `prefix` is the place's, the rest belongs to the street."""
    if country.code == "GB":
        return f"{prefix} {street % 10}{_LETTERS[street // 10 % 20]}{_LETTERS[street // 200 % 20]}"
    if country.code == "IE":
        return f"{prefix} {_LETTERS[street % 23]}{street // 23 % 10}{_LETTERS[street // 230 % 23]}{street // 3 % 10}"
    return f"{prefix}{street % 100:02d}"


def passport(country: Country, serial: int) -> str:
    if country.code in {"GB", "US"}:
        return scramble(serial, 9)
    letters = _LETTERS[serial % 23] + _LETTERS[serial // 23 % 23]
    return f"{letters}{scramble(serial, 7)}"


def national_id(country: Country, serial: int) -> str:
    if country.code == "GB":
        return f"{_LETTERS[serial % 18]}{_LETTERS[serial // 18 % 18]}{scramble(serial, 6)}{'ABCD'[serial // 324 % 4]}"
    if country.code in {"IE", "ES"}:
        return f"{scramble(serial, 8)}{_LETTERS[serial % 23]}"
    if country.code == "FR":
        return f"{1 + serial % 2}{scramble(serial, 12)}"
    return scramble(serial, 9)


def tax_id(serial: int) -> str:
    return f"{_LETTERS[serial % 23]}{scramble(serial + 17, 9)}"


def registration(country: Country, serial: int) -> str:
    """A company's registration number."""
    digits = scramble(serial, 8)
    return f"HRB {digits}" if country.code == "DE" else digits


def address_line(country: Country, street: str, house: str) -> str:
    """Street and house number in the order of the country."""
    if country.house_first:
        return f"{house} {street}" if house else street
    if not house:
        return street
    return f"{street}, {house}" if country.code == "ES" else f"{street} {house}"
