from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings.lines import split_name, split_street
from schemas.canonical import Address, Name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("John Smith", Name(given="John", family="Smith")),
        ("Mr John A Smith", Name(prefix="Mr", given="John", middle="A", family="Smith")),
        ("Smith, John A", Name(given="John", middle="A", family="Smith")),
        ("Smith Jr, Mr. John", Name(prefix="Mr.", given="John", family="Smith", suffix="Jr")),
        ("John Smith, Jr.", Name(given="John", family="Smith", suffix="Jr")),
        ("John Smith III", Name(given="John", family="Smith", suffix="III")),
        ("SMITH JOHN", Name(given="JOHN", family="SMITH")),
        ("SMITH John Albert", Name(given="John", middle="Albert", family="SMITH")),
        ("J. SMITH", Name(given="J.", family="SMITH")),
        ("Ludwig van der Berg", Name(given="Ludwig", family="van der Berg")),
        ("Sr. Juan Pérez", Name(prefix="Sr.", given="Juan", family="Pérez")),
        ("Bob", Name(full="Bob")),
        ("Dr Bob", Name(full="Dr Bob")),
        ("Smith, ", Name(full="Smith,")),
        (", John", Name(full=", John")),
        ("a b c d e f g h i j", Name(full="a b c d e f g h i j")),
        ("Bright Harbour Ltd", Name(organization="Bright Harbour Ltd")),
        ("Becker & Co", Name(organization="Becker & Co")),
        ("Banco SA", Name(organization="Banco SA")),
        ("Maria Sa", Name(given="Maria", family="Sa")),
        ("  John   Smith ", Name(given="John", family="Smith")),
    ],
)
def test_one_line_becomes_the_parts_of_a_name(line: str, name: Name) -> None:
    assert Name(**split_name(line)) == name


@given(
    st.lists(st.sampled_from(["John", "SMITH", "Jr", "Mr", ",", "van", "Ltd", "Å", " ", "III", "&"])).map(" ".join)
    | st.text()
)
def test_no_word_of_a_line_is_lost(line: str) -> None:
    Name(**split_name(line))  # only fields there are
    parts = " ".join(split_name(line).values())
    kept = {word.strip(",.") for word in parts.split()} | {"Jr", "Sr", "II", "III", "IV"}
    written = {word.strip(",.").replace("jr", "Jr").replace("JR", "Jr") for word in line.replace(",", " ").split()}
    suffixes = {"jr", "sr", "junior", "senior", "ii", "iii", "iv"}
    assert {word for word in written if word and word.replace(".", "").casefold() not in suffixes} <= kept | {
        part for word in kept for part in word.split(",")
    }


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("12 High Street", Address(house="12", street="High Street")),
        ("12a, High Street", Address(house="12a", street="High Street")),
        ("Hauptstr. 12", Address(house="12", street="Hauptstr.")),
        ("Am Markt 3 b", Address(house="3 b", street="Am Markt")),
        ("Calle Mayor, 12", Address(house="12", street="Calle Mayor")),
        ("12-14 Long Road", Address(house="12-14", street="Long Road")),
        ("5th Avenue 12", Address(house="12", street="5th Avenue")),
        ("Mill Lane", Address(street="Mill Lane")),
        ("12", Address(street="12")),
    ],
)
def test_one_line_becomes_house_and_street(line: str, address: Address) -> None:
    assert msgspec.convert(split_street(line), Address) == address
    assert split_street("") == {}
