"""A company of thousands of sites: joined by value, and cheap for each site that comes or goes."""

from __future__ import annotations

from streams.identity.grouping import Limits
from streams.identity.processor import Settings
from tests.unit.streams.identity.fake_matcher import Card
from tests.unit.streams.identity.realm import NAME, Realm

SITES = 400


def company(*, numbered: bool = False) -> Realm:
    realm = Realm(Settings(secret=b"a secret", limits=Limits()))
    for number in range(SITES):
        own = (("number", f"{number}"),) if numbered else ()
        realm.put(f"crm/{number}", Card(f"site {number}", values=(("hub", "1"), *own)))
    return realm


def rows_written_by(realm: Realm, record: str, card: Card | None) -> int:
    before = dict(realm.store.rows)
    realm.send(realm.identity(record, card))
    return sum(len(key) + len(value) for key, value in realm.store.rows.items() if before.get(key) != value)


def test_all_sites_are_one_customer() -> None:
    realm = company()
    assert len(realm.groups()) == 1


def test_one_site_more_writes_as_little_to_a_company_of_hundreds_as_to_a_large_block() -> None:
    realm = company()
    assert rows_written_by(realm, "crm/new", Card("new", values=(("hub", "1"),))) < 1_000
    assert realm.customer("crm/new") == realm.customer("crm/0")


def test_one_site_less_writes_little_and_keeps_the_id() -> None:
    realm = company()
    mine = realm.customer("crm/1")
    assert rows_written_by(realm, "crm/0", None) < 1_000
    assert realm.customer("crm/1") == mine
    assert realm.customer("crm/0") is None


def test_two_companies_become_one_by_a_record_that_has_both_numbers_and_part_again_without_it() -> None:
    realm = Realm()
    for number in range(10):
        realm.put(f"crm/{number}", Card("a", values=(("hub", "1"),)))
        realm.put(f"web/{number}", Card("b", values=(("hub", "2"),)))
    elder, younger = realm.customer("crm/0"), realm.customer("web/0")
    assert elder != younger
    realm.put("bridge/1", Card("c", values=(("hub", "1"), ("hub", "2"))))
    assert len(realm.groups()) == 1
    assert realm.customer("web/9") == elder
    realm.check_entities()
    realm.delete("bridge/1")
    assert realm.customer("crm/9") == elder
    assert realm.customer("web/9") == younger
    realm.check_entities()


def test_no_row_grows_with_the_company() -> None:
    realm = company(numbered=True)
    largest = max((len(value), key) for key, value in realm.store.rows.items())
    assert largest[0] < 1_000, largest[1].removeprefix(NAME.encode())
