from __future__ import annotations

import pytest

from streams.identity.levels.birth import judge_birth
from streams.identity.levels.contacts import are_apart
from streams.identity.weights import WEIGHTS
from tests.unit.streams.identity.people import level, record


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ("19800517", "19800517", ("same", WEIGHTS.birth_same)),
        ("19800101", "19800101", ("same", WEIGHTS.birth_same_january_first)),
        ("19800507", "19800705", ("close", WEIGHTS.birth_slip)),  # day and month swapped
        ("19800517", "19800571", ("close", WEIGHTS.birth_slip)),
        ("19800517", "19900517", ("close", WEIGHTS.birth_slip)),
        ("19800517", "19840517", ("close", WEIGHTS.birth_slip)),
        ("19800517", "19800528", ("close", WEIGHTS.birth_partly)),
        ("1980", "19800517", ("close", WEIGHTS.birth_year_same)),
        ("198005", "19800517", ("close", WEIGHTS.birth_month_same)),
        ("1981", "19800517", ("different", 0)),
        ("1955", "19800517", ("conflicting", WEIGHTS.birth_conflicting)),
        ("19551130", "19800517", ("conflicting", WEIGHTS.birth_conflicting)),
        ("19800517", "19801130", ("conflicting", WEIGHTS.birth_conflicting)),
        ("", "19800517", ("missing", 0)),
    ],
)
def test_birth_dates_compare_by_the_slips_people_make(x: str, y: str, expected: tuple[str, int]) -> None:
    assert judge_birth(x, y) == expected
    assert judge_birth(y, x) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("John", "John", "same"),
        ("John", "J", "close"),
        ("John", "K", "different"),
        ("William", "Bill", "close"),
        ("Stephen", "Steven", "close"),
        ("Michael", "Michaelx", "close"),
        ("Mary", "Mark", "conflicting"),
        ("Paul", "Paula", "conflicting"),
        ("John", "Qwertz", "different"),
        ("", "John", "missing"),
    ],
)
def test_given_names_compare_by_relation_not_by_likeness_where_both_are_attested(a: str, b: str, expected: str) -> None:
    assert level(record(given=a, family="Weatherby"), record(given=b, family="Weatherby"), "given name") == expected


def test_a_person_may_be_called_by_the_middle_name() -> None:
    assert level(record(given="Maria", middle="Anna"), record(given="Anna"), "given name") == "close"
    assert level(record(given="M", middle="Eugène"), record(given="Eugène"), "given name") == "close"
    assert level(record(given="Annamaria"), record(given="Anna", middle="Maria"), "given name") == "close"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Weatherby", "Weatherby", "same"),
        ("Meyer", "Meier", "close"),
        ("Weatherby", "Wetaherby", "close"),
        ("Smith-Jones", "Jones", "close"),
        ("van der Berg", "Berg", "same"),
        ("Weatherby", "W", "close"),
        ("Weatherby", "Lindqvist", "different"),
    ],
)
def test_family_names_compare(a: str, b: str, expected: str) -> None:
    assert level(record(given="Anna", family=a), record(given="Anna", family=b), "family name") == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("12 High Street, Leeds, LS1 4DY", "12 High St, Leeds, LS14DY", "same"),
        ("12 High Street, Leeds, LS1 4DY", "12 High Street, Leeds, LS1 4YD", "same"),
        ("12 High Street, Leeds, LS1 4DY", "14 High Street, Leeds, LS1 4DY", "close"),
        ("12 High Street, Leeds, LS1 4DY", "7 Mill Lane, York, YO1 7HH", "different"),
    ],
)
def test_addresses_compare_part_by_part(a: str, b: str, expected: str) -> None:
    assert level(record(address=a), record(address=b), "address") == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("+447700900123", "07700 900123", "same"),
        ("+447700900123", "+447700800123", "close"),
        ("+447700900123", "+447700900124", "different"),  # neighbours
    ],
)
def test_telephones_compare(a: str, b: str, expected: str) -> None:
    assert level(record(phone=a), record(phone=b), "phone") == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("anna.smith@post.example", "anna.smth@post.example", "close"),
        ("anna1@post.example", "anna2@post.example", "different"),
        ("anna@post.example", "eve@post.example", "different"),
    ],
)
def test_mailboxes_compare(a: str, b: str, expected: str) -> None:
    assert level(record(email=a), record(email=b), "email") == expected


@pytest.mark.parametrize(
    ("x", "y", "apart"),
    [
        (("", ""), ("", ""), False),
        (("", "2019"), ("2020", ""), True),
        (("", "2020"), ("2020-05", ""), False),
        (("2018-01-01", "2019-01-01"), ("2019-01-02", "2020-01-01"), True),
        (("2018-01-01", ""), ("2019-01-02", ""), False),
    ],
)
def test_periods_are_apart_only_where_one_is_known_to_end_first(x: tuple[str, str], y: tuple[str, str], apart: bool) -> None:
    assert are_apart(*x, *y) is apart
    assert are_apart(*y, *x) is apart


def test_a_second_document_of_a_renewable_kind_is_different_and_another_kind_says_nothing() -> None:
    assert level(record(passport="533401372"), record(passport="988877766"), "identification") == "different"
    assert level(record(national_id="QQ123456C"), record(national_id="ZW998877A"), "identification") == "conflicting"
    assert level(record(national_id="QQ123456C"), record(passport="988877766"), "identification") == "missing"
