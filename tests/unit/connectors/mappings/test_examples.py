"""The shipped mappings, on the formats of the simulated source systems."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest

import connectors.simulated
from connectors.mappings import FileReader, SourceReader, load_mapping, shipped_mapping
from schemas.canonical import (
    Account,
    Address,
    Attributes,
    Consent,
    Email,
    Identification,
    Name,
    Phone,
    Subscription,
    ThirdPartyService,
)
from schemas.messages import Order, SourceChange
from streams.engine.contract import RejectedError
from tests.fakes import message
from tests.unit.connectors.mappings.support import DictRegistry, avro

SIMULATED = Path(connectors.simulated.__file__).parent
BILLING = (SIMULATED / "schemas" / "billing-customer.avsc").read_text()
PERSON = """\
rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id
rec-1, ada, byron, 12, lovelace street, , hobart, 7000, tas, 19151210, 5304218
rec-2, ada, byron, 12, lovelace street, , hobart, 7000, tas, 19990231, 5304218
"""
NAMES = ["crm", "billing", "orders", "selfcare", "partner"]


def read(name: str, event: dict[str, object]) -> SourceChange:
    value = avro(BILLING, event) if name == "billing" else json.dumps(event).encode()
    (change,) = SourceReader(load_mapping(shipped_mapping(name)), DictRegistry({1: BILLING}))(message(value))
    return change


def samples() -> list[tuple[str, dict[str, object]]]:
    """Every sample event in the documentation of the simulated systems."""
    text = (SIMULATED / "FORMATS.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+): `.*?\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    blocks = [(name, block) for name, body in sections for block in re.findall(r"```json\n(.*?)```", body, re.DOTALL)]
    return [(name, json.loads(line)) for name, block in blocks for line in block.splitlines()]


def test_every_documented_event_of_the_simulated_systems_is_read() -> None:
    assert {name for name, _ in samples()} == set(NAMES)
    for name, event in samples():
        change = read(name, event)
        assert change.record.split("/")[:2] in (["north", name], ["south", name])
        assert (change.operation == "delete") == (event.get("deleted") is True)
        assert 1_700_000_000_000 < change.cause.time < 1_800_000_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_mapping_reads_the_topic_of_its_system(name: str) -> None:
    mapping = load_mapping(shipped_mapping(name))
    assert (mapping.source, len(mapping.topics)) == (name, 1)
    assert mapping.topics[0].startswith(name)


ROW = {
    **{"title": None, "middle_name": None, "suffix": None, "company_name": None, "reg_no": None, "gender": None},
    **{"home_phone": None, "flat": None, "region": None, "passport_no": None, "national_id": None},
    **{"id": 123, "brand": "north", "customer_type": "I", "first_name": "John", "last_name": "Smith", "dob": 5525},
    **{
        "email": "John@Postbox.Example",
        "mobile": "07700 900123",
        "street": "High Street",
        "house_no": "12",
        "city": "Leeds",
    },
    **{"postcode": "ls1 4dy", "country": "GB", "status": "ACTIVE", "segment": "consumer"},
}
SOURCE = {"ts_ms": 1704067200000, "sequence": '["24023100","24023128"]', "lsn": 24023128}


def crm(op: str, before: object, after: object) -> dict[str, object]:
    return {"op": op, "before": before, "after": after, "source": SOURCE}


def test_a_crm_row_is_a_snapshot_with_our_own_customer_number() -> None:
    change = read("crm", crm("u", None, ROW | {"gender": "F", "passport_no": "533"}))
    assert change.order == Order("lsn", (0, 24023128, 24023128, 1))
    assert change.attributes == Attributes(
        kind="individual",
        status="active",
        names=[Name(use="legal", given="John", family="Smith")],
        birth_date="1985-02-16",
        gender="female",
        identifications=[
            Identification(type="customer_number", issuer="crm", value="123", raw="123"),
            Identification(type="passport", issuer="GB", value="533", raw="533"),
        ],
        emails=[Email(value="john@postbox.example", raw="John@Postbox.Example")],
        phones=[Phone(use="mobile", value="+447700900123", raw="07700 900123")],
        addresses=[Address(house="12", street="High Street", locality="Leeds", postcode="LS1 4DY", country="GB")],
        characteristics={"segment": "consumer"},
    )


def test_a_crm_organization_is_known_by_its_registration_number() -> None:
    organization = {
        "customer_type": "O",
        "company_name": "Bright Harbour Ltd",
        "reg_no": "07461234",
        "first_name": None,
        "dob": None,
    }
    change = read("crm", crm("c", None, ROW | organization | {"last_name": None}))
    assert change.attributes.kind == "organization"
    assert change.attributes.names == [Name(use="legal", organization="Bright Harbour Ltd")]
    assert change.attributes.identifications == [
        Identification(type="customer_number", issuer="crm", value="123", raw="123"),
        Identification(type="company_registration", issuer="GB", value="07461234", raw="07461234"),
    ]


def test_a_crm_delete_is_a_delete_of_the_record_before() -> None:
    change = read("crm", crm("d", ROW, None))
    assert (change.record, change.operation) == ("north/crm/123", "delete")


BILL = {
    **{"customer_id": "B1", "sequence": 3, "event_ts": 1704067200000, "brand": "north", "country": "GB", "deleted": False},
    **{"kind": "PERSON", "name": "Smith, John A", "crm_customer_no": "123", "registration_no": None},
    **{"tax_id": {"country": "GB", "number": "12"}, "email": None, "phones": [{"type": "home", "number": "020 7946 0018"}]},
    "bill_address": {
        "unit": None,
        "house": "12",
        "street": "High St",
        "town": "Leeds",
        "postcode": "LS1 4DY",
        "country": "GBR",
    },
    "accounts": [{"account_no": "A1", "type": "postpaid", "status": "open", "opened": "2018-01-01"}],
}


def test_a_bill_names_its_customer_in_one_line_and_quotes_the_crms_number() -> None:
    change = read("billing", BILL)
    assert (change.order, change.cause.time) == (Order("seq", (0, 3)), 1704067200000)
    assert change.attributes == Attributes(
        kind="individual",
        names=[Name(use="legal", given="John", middle="A", family="Smith")],
        identifications=[
            Identification(type="customer_number", issuer="crm", value="123", raw="123"),
            Identification(type="tax_id", issuer="GB", value="12", raw="12"),
        ],
        emails=None,
        phones=[Phone(use="home", value="+442079460018", raw="020 7946 0018")],
        addresses=[Address(use="billing", house="12", street="High St", locality="Leeds", postcode="LS1 4DY", country="GB")],
        accounts=[Account(id="A1", type="postpaid", status="open")],
    )


def test_a_company_on_a_bill_is_an_organization_by_whatever_name() -> None:
    change = read("billing", BILL | {"kind": "COMPANY", "name": "Bright Harbour"})
    assert change.attributes.names == [Name(use="legal", organization="Bright Harbour")]


def order(**changes: object) -> dict[str, object]:
    customer = {"customerRef": "O1", "seq": 2, "brand": "south", "country": "DE", "changes": changes}
    return {"eventTime": "2024-01-04T08:00:00.000Z", "customer": customer}


def test_an_order_is_a_patch_of_what_it_changes() -> None:
    change = read("orders", order(contact={"phone": "0151 23456789"}))
    assert (change.record, change.operation, change.order) == ("south/orders/O1", "patch", Order("seq", (0, 2)))
    assert change.attributes == Attributes(phones=[Phone(value="+4915123456789", raw="0151 23456789")])


def test_an_orders_document_company_address_and_products_are_read() -> None:
    address = {"line1": "Hauptstr. 12", "line2": "2. OG", "town": "Köln", "postcode": "50667", "country": "Germany"}
    products = [{"id": "S1", "product": "Mobile", "status": "active", "start": "2024-01-03"}]
    change = read("orders", order(deliveryAddress=address, subscriptions=products, birthDate=None, contact={"email": None}))
    assert change.attributes == Attributes(
        birth_date=None,
        emails=None,
        addresses=[
            Address(
                use="delivery", unit="2. OG", house="12", street="Hauptstr.", locality="Köln", postcode="50667", country="DE"
            )
        ],
        subscriptions=[Subscription(id="S1", product="Mobile", status="active", start="2024-01-03")],
    )
    passport = {"type": "passport", "country": "FRA", "number": "C01"}
    assert read("orders", order(identityDocument=passport)).attributes.identifications == [
        Identification(type="passport", issuer="FR", value="C01", raw="C01")
    ]
    company = read("orders", order(type="company", company={"name": "Bright", "registrationNumber": "07"}))
    assert company.attributes == Attributes(
        kind="organization",
        names=[Name(organization="Bright")],
        identifications=[Identification(type="company_registration", issuer="DE", value="07", raw="07")],
    )


def profile(**patch: object) -> dict[str, object]:
    return {
        "userId": "s1",
        "brand": "north",
        "country": "GB",
        "at": "2024-01-03T10:20:30.123Z",
        "revision": 1,
        "patch": patch,
    }


def test_a_profile_knows_what_the_customer_verified_and_agreed_to() -> None:
    change = read(
        "selfcare",
        profile(
            displayName="Bob Smith",
            nickname="Bobby",
            emails=[{"address": "a@b.c", "verified": True}],
            phones=[{"number": "07700900123", "type": "mobile", "verified": True}],
            birthDate="16/02/1985",
            language=None,
            consents=[{"purpose": "marketing", "channel": "sms", "granted": False, "at": "2024-01-03"}],
        ),
    )
    assert change.attributes == Attributes(
        names=[Name(use="preferred", given="Bob", family="Smith"), Name(use="alias", given="Bobby")],
        birth_date="1985-02-16",
        emails=[Email(value="a@b.c", raw="a@b.c", verified=True)],
        phones=[Phone(use="mobile", value="+447700900123", raw="07700900123", verified=True)],
        consents=[Consent(purpose="marketing", channel="sms", granted=False, at="2024-01-03")],
        characteristics={"language": None},
    )


def test_a_partners_subscription_is_a_third_party_service() -> None:
    event: dict[str, object] = {
        "partner": "streamflix",
        "subscriberId": "sf-1",
        "brand": "north",
        "ts": 1704067200,
        "rev": 1,
    }
    event |= {
        "country": "GB",
        "msisdn": "447700900123",
        "email": None,
        "holder": {"first": "John", "last": None, "born": None},
    }
    event |= {"service": {"id": "p", "name": "Streamflix", "plan": "family", "started": "2024-01-01"}, "status": "active"}
    assert read("partner", event).attributes == Attributes(
        names=[Name(given="John")],
        birth_date=None,
        emails=None,
        phones=[Phone(value="+447700900123", raw="447700900123")],
        third_party_services=[
            ThirdPartyService(id="p", provider="streamflix", product="Streamflix", status="active", start="2024-01-01")
        ],
    )


def test_a_febrl_row_is_a_person_and_a_day_that_never_was_is_dropped() -> None:
    reader = FileReader(load_mapping(shipped_mapping("febrl")))
    first, second = [row.change for row in reader.rows(BytesIO(PERSON.encode()), "p.csv")]
    assert first is not None
    assert second is not None
    assert first.record == "febrl/febrl/rec-1"
    assert first.attributes == Attributes(
        kind="individual",
        names=[Name(given="ada", family="byron")],
        birth_date="1915-12-10",
        identifications=[Identification(type="national_id", issuer="AU", value="5304218", raw="5304218")],
        addresses=[
            Address(house="12", street="lovelace street", locality="hobart", region="tas", postcode="7000", country="AU")
        ],
    )
    assert second.attributes.birth_date is None


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("crm", crm("u", None, ROW | {"dob": 2932531}), "bad-date"),
        ("crm", crm("u", None, {key: value for key, value in ROW.items() if key != "id"}), "missing-record-id"),
        ("crm", crm("u", None, ROW | {"brand": None}), "unknown-realm"),
        ("orders", order(birthDate="1985-02-31"), "bad-date"),
        ("selfcare", profile(birthDate="31/02/1985"), "bad-date"),
        ("selfcare", profile() | {"userId": None}, "missing-record-id"),
        ("selfcare", profile() | {"revision": None}, "missing-order"),
    ],
)
def test_a_damaged_event_is_rejected_with_its_reason(name: str, event: dict[str, object], reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        read(name, event)
    assert caught.value.reason == reason
