from __future__ import annotations

import pytest
from hypothesis import given

from schemas.canonical import Phone
from streams.identity.compare import compare, score, size_class, thresholds
from streams.identity.features import Features
from streams.identity.model import Conflict
from tests.unit.streams.identity.people import LARGE, MEDIUM, any_record, judged, level, record

JOHN = record(
    given="John", family="Smith", birth="1980-05-17", phone="+447700900123", address="12 High Street, Leeds, LS1 4DY"
)
FLAT = "12 High Street, Leeds, LS1 4DY"


@given(a=any_record(), b=any_record())
def test_comparing_is_symmetric(a: Features, b: Features) -> None:
    assert compare(a, b) == compare(b, a)


@given(a=any_record(), b=any_record())
def test_the_score_is_an_integer_and_the_sum_of_the_explained_weights(a: Features, b: Features) -> None:
    explained = judged(a, b)
    assert type(explained.score) is int
    assert explained.score == sum(found.weight for found in explained.levels)


@given(a=any_record(), b=any_record())
def test_the_score_is_that_of_the_comparison_explained(a: Features, b: Features) -> None:
    assert score(a, b) == compare(a, b).score


def test_records_that_share_no_attribute_say_nothing_about_each_other() -> None:
    assert score(record(given="John"), record(phone="+447700900123")) == 0


def test_a_record_matches_itself_in_another_system() -> None:
    assert score(JOHN, record(full="SMITH, JOHN A", phone="07700 900123", birth="1980-05-17")) >= LARGE.match


@pytest.mark.parametrize("name", [{"given": "John", "family": "Smith"}, {"given": "Ximena", "family": "Featherstonehaugh"}])
def test_a_name_alone_never_reaches_the_match_threshold(name: dict[str, str]) -> None:
    named = record(**name, middle="Albert", suffix="Jr", gender="m")
    assert all(score(named, named) < thresholds(size).match for size in range(12))


def test_a_name_and_a_town_or_a_year_of_birth_are_still_a_name_alone() -> None:
    a = record(given="Ximena", family="Featherstonehaugh", birth="1980", address=", Leeds, ")
    assert score(a, a) < thresholds(0).match


def test_a_name_and_a_telephone_match_even_in_a_large_realm() -> None:
    a = record(given="Ximena", family="Featherstonehaugh", phone="+447700900123")
    assert score(a, a) >= LARGE.match


def test_a_common_name_agrees_for_less_than_a_rare_one() -> None:
    common, rare = record(given="John", family="Smith"), record(given="John", family="Featherstonehaugh")
    weights = [next(x.weight for x in judged(a, a).levels if x.attribute == "family name") for a in (common, rare)]
    assert weights[0] < weights[1]


def test_a_nickname_closes_on_the_formal_name() -> None:
    bill = record(given="Bill", family="Weatherby", phone="+447700900123")
    william = record(given="William", family="Weatherby", phone="+447700900123")
    assert level(bill, william, "given name") == "close"
    assert score(bill, william) >= MEDIUM.match


def test_household_evidence_counts_once() -> None:
    few = record(given="John", family="Smith", email="j.smith@post.example", phone="+447700900123")
    many = record(given="John", family="Smith", email="j.smith@post.example", phone="+447700900123", address=FLAT)
    assert score(few, few) == score(many, many)


def test_a_couple_does_not_match() -> None:
    home = {"family": "Smith", "email": "smiths@post.example", "phone": "+447700900123", "address": FLAT}
    assert score(record(given="Mary", **home), record(given="Mark", **home)) < thresholds(0).match


def test_twins_do_not_match() -> None:
    home = {"family": "Smith", "birth": "1980-05-17", "phone": "+447700900123", "address": FLAT}
    assert score(record(given="Peter", **home), record(given="Thomas", **home)) < thresholds(0).match


def test_father_and_son_of_one_name_do_not_match() -> None:
    home = {"given": "John", "family": "Smith", "phone": "+447700900123", "address": FLAT, "email": "smiths@post.example"}
    assert score(record(birth="1951-11-30", **home), record(birth="1980-05-17", **home)) < thresholds(0).match


def test_a_generation_suffix_keeps_father_and_son_apart_and_vetoes_alone() -> None:
    home = {"given": "John", "family": "Smith", "phone": "+447700900123", "address": FLAT}
    senior, junior = record(suffix="Sr", **home), record(suffix="Jr", **home)
    assert Conflict("suffix", vetoes_alone=True) in compare(senior, junior).conflicts


def test_one_name_at_one_address_with_other_contacts_is_not_enough() -> None:
    home = {"given": "John", "family": "Smith", "address": FLAT}
    a = record(email="john1@post.example", phone="+447700900123", **home)
    b = record(email="smith.j@mail.example", phone="+447911123456", **home)
    assert score(a, b) < thresholds(0).match
    assert score(record(**home), record(**home)) >= MEDIUM.match


def test_a_household_without_a_person_in_it_is_not_enough_but_two_contacts_of_the_nameless_are() -> None:
    nameless = record(email="bluebird@post.example", phone="+447700900123", kind=None)
    assert score(record(given="Kim", email="bluebird@post.example", phone="+447700900123"), nameless) >= MEDIUM.match
    assert score(record(given="Kim", phone="+447700900123"), record(phone="+447700900123", kind=None)) < MEDIUM.match


def test_one_conflicting_identification_does_not_veto() -> None:
    a = record(given="Hanna", family="Lindqvist", birth="1980-05-17", phone="+447700900123", national_id="QQ123456C")
    b = record(given="Hanna", family="Lindqvist", birth="1980-05-17", phone="+447700900123", national_id="ZW998877A")
    assert compare(a, b).conflicts == (Conflict("identification", vetoes_alone=False),)
    assert score(a, b) >= LARGE.match


def test_a_renewed_passport_is_no_conflict() -> None:
    assert compare(record(passport="533401372"), record(passport="988877766")).conflicts == ()


def test_a_mistyped_identification_is_close() -> None:
    assert level(record(national_id="QQ123456C"), record(national_id="QQ123465C"), "identification") == "close"


def test_two_accounts_in_one_system_are_no_conflict_but_count_a_little_against() -> None:
    two = compare(record(customer_number="123"), record(customer_number="124"))
    assert two.conflicts == ()
    assert two.score < 0


def test_given_and_family_name_in_each_others_field_are_recognised() -> None:
    a = record(given="Kirsten", family="Featherstonehaugh", birth="1980-05-17")
    b = record(given="Featherstonehaugh", family="Kirsten", birth="1980-05-17")
    c = record(given="Ryan", family="Campbell", birth="1980-05-17")
    d = record(given="Campbell", family="Ryan", birth="1980-05-17")
    assert score(a, b) >= MEDIUM.match
    assert score(c, d) >= MEDIUM.match


def test_a_married_name_does_not_hide_a_person() -> None:
    a = record(given="Hanna", family="Lindqvist", birth="1980-05-17", phone="+447700900123")
    b = record(given="Hanna", family="Weatherby", birth="1980-05-17", phone="+447700900123")
    assert score(a, b) >= LARGE.match


def test_a_generic_value_is_no_evidence() -> None:
    a = record(given="Hanna", family="Lindqvist", phone="+447700900123", email="shop@post.example", address=FLAT)
    everything = {a.phones[0].key, a.emails[0].key, a.places[0].key}
    generic = compare(a, a, everything)
    assert {x.attribute for x in generic.levels if x.level == "generic"} == {"phone", "email", "address"}
    assert generic.score < thresholds(0).match


def test_a_recycled_number_is_no_evidence() -> None:
    before = record(phone=Phone(value="+447700900123", valid_to="2019-06"))
    after = record(phone=Phone(value="+447700900123", valid_from="2020-01-15"))
    meanwhile = record(phone=Phone(value="+447700900123", valid_from="2019-01-15"))
    assert level(before, after, "phone") == "different"
    assert level(before, meanwhile, "phone") == "same"


def test_a_person_and_an_organization_do_not_match() -> None:
    shared = {"email": "smith@post.example", "phone": "+447700900123", "address": FLAT}
    compared = compare(record(given="John", family="Smith", **shared), record(organization="Smith Ltd", **shared))
    assert compared.score < thresholds(0).review
    assert compared.conflicts == (Conflict("kind", vetoes_alone=False),)


def test_an_organization_matches_whatever_its_legal_form_is_called() -> None:
    a = record(organization="Bright Harbour Ltd", phone="+442079460018")
    b = record(organization="BRIGHT HARBOUR LIMITED", phone="+442079460018")
    assert score(a, b) >= MEDIUM.match


def test_an_organization_matches_a_record_of_unknown_kind_that_writes_its_name_like_a_persons() -> None:
    a = record(organization="Bright Harbour Ltd", email="office@bright-harbour.example")
    b = record(full="Bright Harbour", email="office@bright-harbour.example", kind=None)
    assert score(a, b) >= MEDIUM.match


def test_an_organizations_name_or_its_contact_alone_is_not_enough() -> None:
    home = {"email": "office@bright-harbour.example", "phone": "+442079460018", "address": FLAT}
    assert score(record(organization="Bright Harbour"), record(organization="Bright Harbour")) < MEDIUM.match
    assert (
        score(record(organization="Bright Harbour", **home), record(organization="Dalland Optics", **home))
        < thresholds(0).match
    )


def test_a_registration_number_outweighs_another_name() -> None:
    a = record(organization="Bright Harbour Ltd", company_registration="07461234")
    b = record(organization="BH Marine Ltd", company_registration="07461234")
    assert score(a, b) > MEDIUM.review


def test_a_mail_domain_of_its_own_supports_an_organizations_name() -> None:
    a = record(organization="Bright Harbour", email="office@bright-harbour.example")
    b = record(organization="Bright Harbour", email="accounts@bright-harbour.example")
    assert level(a, b, "mail domain") == "same"
    assert compare(a, b, {a.domains[0].key}).score < score(a, b)


def test_thresholds_grow_by_one_bit_with_each_doubling() -> None:
    assert thresholds(10).match - thresholds(9).match == 200  # a class is a factor of four
    assert thresholds(9).review < thresholds(9).match


def test_the_size_class_is_the_logarithm_to_base_four() -> None:
    assert [size_class(live) for live in (0, 1, 3, 4, 15, 16, 63, 64, 4**9 - 1, 4**9)] == [0, 0, 0, 1, 1, 2, 2, 3, 8, 9]
