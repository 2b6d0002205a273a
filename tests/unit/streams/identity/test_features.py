from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import Address, Attributes, Email, Identification, Name, Phone
from streams.identity.compare import compare, score
from streams.identity.features import FEATURES, INDIVIDUAL, ORGANIZATION, UNKNOWN_KIND, Features, features
from streams.identity.keys import match_keys
from streams.identity.reference import shipped
from streams.identity.weights import LIMITS
from tests.unit.streams.identity.people import SECRET, any_attributes, any_record, record


@given(found=any_record())
def test_features_survive_their_codec(found: Features) -> None:
    assert FEATURES.decode(FEATURES.encode(found)) == found


@given(known=any_attributes())
def test_features_are_a_pure_function(known: Attributes) -> None:
    assert features("r/s/1", known, shipped(), SECRET) == features("r/s/1", known, shipped(), SECRET)


anything = st.text(max_size=60)


@given(
    name=st.builds(
        Name, given=anything, middle=anything, family=anything, suffix=anything, full=anything, organization=anything
    ),
    address=st.builds(Address, house=anything, unit=anything, street=anything, locality=anything, postcode=anything),
    number=st.builds(Identification, type=st.sampled_from(["passport", "customer_number", ""]), value=anything),
    value=anything,
)
def test_nothing_a_source_writes_is_an_error(name: Name, address: Address, number: Identification, value: str) -> None:
    known = Attributes(
        names=[name],
        birth_date=value,
        gender=value,
        identifications=[number],
        emails=[Email(value=value)],
        phones=[Phone(value=value)],
        addresses=[address],
    )
    found = features("r/s/1", known, shipped(), SECRET)
    assert FEATURES.decode(FEATURES.encode(found)) == found
    assert score(found, found) == compare(found, found).score
    assert len(match_keys(found, SECRET)) <= LIMITS.keys


def test_features_stay_small_whatever_a_source_writes() -> None:
    long = "long " * 10_000
    known = Attributes(
        names=[Name(given=long, family=long)], emails=[Email(value=long)], addresses=[Address(street=long, unit=long)]
    )
    assert len(FEATURES.encode(features("r/s/1", known, shipped(), SECRET))) < 3_000


def test_an_empty_record_has_empty_features() -> None:
    found = features("r/s/1", Attributes(), shipped(), SECRET)
    assert found == Features(UNKNOWN_KIND, (), (), "", "", (), (), (), (), (), b"")


def test_the_name_token_is_the_same_for_spellings_of_one_name_and_differs_between_names() -> None:
    token = record(given="William", family="Weatherby").name_token
    assert token == record(given="Bill", family="Weatherby").name_token
    assert token == record(full="WEATHERBY, William J").name_token
    assert token == record(given="Weatherby", family="William").name_token
    assert token != record(given="Mark", family="Weatherby").name_token
    assert record(phone="+447700900123").name_token == b""


def test_a_turned_full_line_is_put_right_where_the_words_say_so() -> None:
    name = record(full="FEATHERSTONEHAUGH LYDIA").names[0]
    assert (name.given, name.family) == ("lydia", "featherstonehaugh")
    assert record(given="John", family="Martin").names[0].given == "john"


@pytest.mark.parametrize("junk", ["test@test.com", "noreply@post.example", "none@none.com", "unknown"])
def test_a_blocked_mailbox_is_missing(junk: str) -> None:
    assert record(email=junk).emails == ()


@pytest.mark.parametrize("junk", ["0000000000", "+44 1234567890", "99999999999", "12", "020 8000 0000"])
def test_a_blocked_or_short_telephone_is_missing(junk: str) -> None:
    assert record(phone=junk).phones == ()


@pytest.mark.parametrize("junk", ["1900-01-01", "1970-01-01", "9999-12-31", "0001-01-01", "yesterday"])
def test_a_blocked_birth_date_is_missing(junk: str) -> None:
    assert record(birth=junk).birth == ""


@pytest.mark.parametrize("junk", ["000000", "123456789", "NONE", "XXXXXX", "12"])
def test_a_blocked_or_short_identification_is_missing(junk: str) -> None:
    assert record(passport=junk).numbers == ()


def test_a_short_customer_number_counts_because_its_issuer_guarantees_it() -> None:
    assert record(customer_number="7").numbers[0].value == "7"


def test_a_customer_number_without_issuer_is_its_sources_own() -> None:
    known = Attributes(identifications=[Identification(type="customer_number", value="123")])
    crm, billing = (features(f"r/{source}/1", known, shipped(), SECRET).numbers[0] for source in ("crm", "billing"))
    assert (crm.issuer, billing.issuer) == ("CRM", "BILLING")
    assert crm.key != billing.key


def test_blocked_words_are_no_names() -> None:
    assert record(given="Unknown", family="Customer").names == ()
    assert record(given="Test", family="Weatherby").names[0].given == ""


def test_a_line_that_ends_in_a_legal_form_is_an_organization_though_nobody_says_so() -> None:
    found = record(given="Bright", middle="Harbour Public Limited", family="Company", kind=None)
    assert (found.kind, found.organizations, found.names) == (ORGANIZATION, ("bright harbour",), ())


def test_a_kind_is_kept_where_it_is_stated() -> None:
    assert record(given="John", family="Limited").kind == INDIVIDUAL
    assert record(given="John", kind=None).kind == UNKNOWN_KIND


def test_lists_are_bounded() -> None:
    known = Attributes(
        names=[Name(given="John", family=f"Smith{n}") for n in range(50)],
        emails=[Email(value=f"john{n}@post.example") for n in range(50)],
    )
    found = features("r/s/1", known, shipped(), SECRET)
    assert (len(found.names), len(found.emails)) == (LIMITS.names, LIMITS.emails)
