"""Both halves of identity together: real people, through the shipped matcher."""

from __future__ import annotations

from schemas import topics
from schemas.canonical import Address, Attributes, Email, Name, Phone
from schemas.messages import IDENTITY, Cause, RecordIdentity
from streams.identity.explain import Reason, customer_of, why
from streams.identity.factory import ShippedMatcher, identity_processor
from tests.fakes import MemoryStore, RecordingOutbox, message

HOME = Address(house="12", street="Hill Street", locality="Leeds", postcode="LS1 4AB", country="GB")


def person(given: str, birth: str, email: str) -> Attributes:
    return Attributes(
        kind="individual",
        names=[Name(given=given, family="Featherstone")],
        birth_date=birth,
        emails=[Email(value=email)],
        phones=[Phone(value="+441134960000")],
        addresses=[HOME],
    )


def test_one_person_in_two_systems_is_one_customer_and_the_twin_is_another() -> None:
    processor, store = identity_processor(b"a secret"), MemoryStore()
    people = {
        "north/crm/1": person("William", "1980-05-17", "bill@example.com"),
        "north/selfcare/1": person("Bill", "1980-05-17", "bill@example.com"),
        "north/crm/2": person("Margaret", "1980-05-17", "margaret@example.com"),
    }
    for offset, (record, attributes) in enumerate(people.items()):
        told = RecordIdentity(record=record, version=1, attributes=attributes, cause=Cause("crm/0/1", 1))
        each = message(IDENTITY.encode(told), topic=topics.IDENTITY, offset=offset)
        processor.prepare([each], store)
        processor.process(each, store, RecordingOutbox())
    assert customer_of(store, "north/crm/1") == customer_of(store, "north/selfcare/1") != customer_of(store, "north/crm/2")
    together = why(store, ShippedMatcher(), "north/crm/1", "north/selfcare/1")
    assert together.reason is Reason.MATCHED
    assert together.comparison
    assert sum(level.weight for level in together.comparison.levels) == together.comparison.score
    assert not why(store, ShippedMatcher(), "north/crm/1", "north/crm/2").same_customer


def test_no_personal_value_stands_in_a_row_key() -> None:
    processor, store = identity_processor(b"a secret"), MemoryStore()
    told = RecordIdentity(
        record="north/crm/1",
        version=1,
        attributes=person("William", "1980-05-17", "bill@example.com"),
        cause=Cause("c/0/1", 1),
    )
    processor.process(message(IDENTITY.encode(told), topic=topics.IDENTITY), store, RecordingOutbox())
    keys = b"\n".join(store.rows).lower()
    assert not [word for word in (b"william", b"featherstone", b"bill@", b"1134960000", b"19800517", b"ls1") if word in keys]
