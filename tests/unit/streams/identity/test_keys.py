from __future__ import annotations

from collections import Counter

from hypothesis import given

from streams.identity.features import Features
from streams.identity.keys import match_keys
from streams.identity.kinds import KINDS
from streams.identity.model import MatchKey
from streams.identity.weights import LIMITS
from tests.unit.streams.identity.people import SECRET, any_record, record


def keys(kind: str, found: Features) -> set[MatchKey]:
    return {key for key in match_keys(found, SECRET) if name_of(key) == kind}


def name_of(key: MatchKey) -> str:
    return KINDS[key[0]].name


def shared(a: Features, b: Features) -> set[str]:
    return {name_of(key) for key in set(match_keys(a, SECRET)) & set(match_keys(b, SECRET))}


@given(found=any_record())
def test_keys_are_bounded_distinct_and_of_declared_kinds(found: Features) -> None:
    posted = match_keys(found, SECRET)
    assert len(posted) <= LIMITS.keys
    assert len(set(posted)) == len(posted)
    assert all(key[0] in KINDS and len(key) == 9 for key in posted)


def test_a_record_with_too_many_values_keeps_its_strongest_keys() -> None:
    crowded = record(
        given="Alex",
        family="Garcia Lopez",
        birth="1980-05-17",
        email=[f"a{n}@post.example" for n in range(9)],
        phone=[f"+44770090012{n}" for n in range(9)],
        address=[f"{n} High Street, Leeds, LS{n} 4DY" for n in range(1, 9)],
        passport=["533401372", "533401373"],
    )
    posted = Counter(name_of(key) for key in match_keys(crowded, SECRET))
    assert posted.total() == LIMITS.keys
    assert posted["identification"] == 2
    assert posted["phone"] == LIMITS.phones
    assert posted["name"] == 0


@given(found=any_record())
def test_another_secret_gives_other_keys_for_names(found: Features) -> None:
    other = match_keys(found, b"another realm")
    assert not keys("name", found) & set(other)


def test_no_personal_value_stands_in_a_key() -> None:
    found = record(given="Hanna", family="Lindqvist", email="hanna@post.example", phone="+447700900123", birth="1980-05-17")
    bytes_posted = b"".join(match_keys(found, SECRET))
    for value in (b"hanna", b"lindqvist", b"447700", b"1980", b"post"):
        assert value not in bytes_posted.lower()


def test_equal_values_of_different_kinds_have_different_hashes() -> None:
    found = record(
        given="Hanna", family="Lindqvist", email="hanna@post.example", phone="+447700900123", address="1 A St, B, C1"
    )
    hashes = [key[1:] for key in match_keys(found, SECRET)]
    assert len(set(hashes)) == len(hashes)


def test_no_two_kinds_have_one_code_or_name() -> None:
    assert all(code == kind.code < 128 for code, kind in KINDS.items())
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS) == 14


def test_the_key_beside_a_value_is_the_key_it_posts() -> None:
    found = record(
        organization="Bright Harbour Ltd",
        email="office@bright-harbour.example",
        phone="+442079460018",
        address="12 High Street, Leeds, LS1 4DY",
        passport="533401372",
        company_registration="07461234",
    )
    beside = {
        "email": found.emails[0].key,
        "phone": found.phones[0].key,
        "address": found.places[0].key,
        "mail_domain": found.domains[0].key,
        "identification": found.numbers[0].key,
        "registration": found.numbers[1].key,
    }
    for kind, key in beside.items():
        assert keys(kind, found) == {key}


def test_a_value_that_can_be_generic_also_posts_a_refined_key() -> None:
    a = record(
        given="Bill", family="Weatherby", email="shop@post.example", phone="+447700900123", address="1 A St, B, C1 1AA"
    )
    b = record(
        given="William", family="Jones", email="shop@post.example", phone="+447700900123", address="1 A St, B, C1 1AA"
    )
    assert "address_given" in shared(a, b)


def test_a_nickname_is_found_by_its_formal_name() -> None:
    assert "name" in shared(record(given="Bill", family="Weatherby"), record(given="William", family="Weatherbie"))


def test_swapped_names_and_swapped_day_and_month_are_found() -> None:
    a = record(given="Kirsten", family="Weatherby", birth="1980-05-07")
    b = record(given="Weatherby", family="Kirsten", birth="1980-07-05")
    assert {"name", "word_birth"} <= shared(a, b)


def test_a_wrong_given_name_is_found_by_birth_and_family_name() -> None:
    assert "word_birth" in shared(
        record(given="Hanna", family="Weatherby", birth="1980-05-17"),
        record(given="X", family="Weatherby", birth="1980-05-17"),
    )


def test_an_identification_is_found_under_another_type() -> None:
    assert "identification" in shared(record(passport="533401372"), record(national_id="533 401 372"))


def test_only_numbers_their_issuer_guarantees_link() -> None:
    assert [kind.name for kind in KINDS.values() if kind.links] == ["registration"]
    assert keys("registration", record(customer_number="123"))
    assert not keys("registration", record(passport="533401372", national_id="QQ123456C"))


def test_a_registration_links_only_with_its_type_and_issuer() -> None:
    assert not shared(record(customer_number="07461234"), record(company_registration="07461234"))


def test_a_nameless_record_posts_its_values() -> None:
    assert {name_of(key) for key in match_keys(record(phone="+447700900123"), SECRET)} == {"phone"}
