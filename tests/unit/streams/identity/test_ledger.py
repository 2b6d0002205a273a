"""Ids last: they follow their customers through merges, splits, deletes and returns."""

from __future__ import annotations

from streams.identity.explain import members_of, resolve_id
from streams.identity.ledger import mint_id
from tests.unit.streams.identity.fake_matcher import Card
from tests.unit.streams.identity.realm import NAME, Realm

RED = Card("ann", values=(("c", "1"), ("b", "1")))
BLUE = Card("bob", values=(("c", "2"), ("b", "2")))
BOTH = Card("bob", values=(("c", "1"), ("b", "1"), ("c", "2"), ("b", "2")))


def two_customers() -> Realm:
    """crm/1 and crm/2 are one customer, web/1 and web/2 another."""
    realm = Realm()
    for record, card in (("crm/1", RED), ("crm/2", RED), ("web/1", BLUE), ("web/2", BLUE)):
        realm.put(record, card)
    realm.settle()
    assert realm.groups() == {frozenset({"crm/1", "crm/2"}), frozenset({"web/1", "web/2"})}
    return realm


def test_an_id_is_a_letter_and_twenty_characters_of_base_32() -> None:
    minted = mint_id(b"secret", "north/crm/1", 1)
    assert len(minted) == 21
    assert minted[0] == "c"
    assert set(minted[1:]) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert minted != mint_id(b"secret", "north/crm/1", 2) != mint_id(b"secret", "north/crm/2", 2)


def test_a_merge_keeps_the_oldest_id_and_the_other_becomes_its_alias() -> None:
    realm = two_customers()
    elder, younger = realm.customer("crm/1"), realm.customer("web/1")
    assert elder
    assert younger
    realm.said.clear()
    realm.put("bridge/1", BOTH)
    realm.settle()
    assert {realm.customer(record) for record in realm.cards} == {elder}
    assert realm.entities[elder].aliases == (younger,)
    assert [said.absorbed for said in realm.said if said.customer == elder] == [(younger,)]
    assert realm.entities[younger].merged_into == elder
    assert realm.entities[younger].count == 0
    assert resolve_id(realm.store, NAME, younger) == elder


def test_a_split_gives_each_part_its_own_id_back() -> None:
    realm = two_customers()
    elder, younger = realm.customer("crm/1"), realm.customer("web/1")
    assert elder
    assert younger
    realm.put("bridge/1", BOTH)
    realm.settle()
    realm.said.clear()
    realm.delete("bridge/1")
    realm.settle()
    assert realm.customer("crm/1") == realm.customer("crm/2") == elder
    assert realm.customer("web/1") == realm.customer("web/2") == younger
    assert realm.entities[elder].aliases == ()
    split = {said.customer: said for said in realm.said}
    assert split[younger].split_from == elder
    assert split[elder].split_to == (younger,)
    assert resolve_id(realm.store, NAME, younger) == younger


def test_a_part_without_an_anchor_gets_a_new_id_that_says_where_it_came_from() -> None:
    realm = Realm()
    realm.put("crm/1", RED)
    realm.put("bridge/1", BOTH)
    realm.put("web/1", BLUE)
    realm.put("web/2", BLUE)
    realm.settle()
    old = realm.customer("crm/1")
    assert {realm.customer(record) for record in realm.cards} == {old}
    realm.delete("bridge/1")
    realm.settle()
    new = realm.customer("web/1")
    assert realm.customer("crm/1") == old
    assert new == realm.customer("web/2") != old
    assert new
    assert realm.entities[new].split_from == old


def test_the_customer_keeps_its_id_when_its_anchor_is_deleted() -> None:
    realm = two_customers()
    elder = realm.customer("crm/1")
    realm.delete("crm/1")
    realm.settle()
    assert realm.customer("crm/2") == elder
    assert realm.customer("crm/1") is None


def test_the_customer_keeps_its_id_when_its_anchor_turns_out_to_be_somebody_else() -> None:
    realm = two_customers()
    elder, younger = realm.customer("crm/1"), realm.customer("web/1")
    realm.put("crm/1", BLUE)
    realm.settle()
    assert realm.customer("crm/2") == elder
    assert realm.customer("crm/1") == younger


def test_a_record_that_leaves_alone_gets_an_id_it_never_had() -> None:
    realm = two_customers()
    elder = realm.customer("crm/1")
    seen = {elder}
    for _ in range(3):
        realm.put("crm/1", Card("zoe"))
        realm.settle()
        mine = realm.customer("crm/1")
        assert mine not in seen
        seen.add(mine)
        realm.put("crm/1", RED)
        realm.settle()
        assert realm.customer("crm/1") == elder  # its own ids are younger: aliases now


def test_the_last_record_returning_revives_the_retired_id() -> None:
    realm = Realm()
    realm.put("crm/1", RED)
    mine = realm.customer("crm/1")
    assert mine
    realm.delete("crm/1")
    assert realm.entities[mine].count == 0
    assert realm.entities[mine].merged_into is None
    assert resolve_id(realm.store, NAME, mine) == mine
    realm.put("web/9", BLUE)
    realm.put("crm/1", RED)
    realm.settle()
    assert realm.customer("crm/1") == mine
    assert realm.entities[mine].count == 1


def test_an_alias_of_an_alias_resolves_to_the_customer_of_today() -> None:
    realm = Realm()
    cards = [Card(f"n{n}", values=(("c", f"{n}"), ("b", f"{n}"))) for n in range(3)]
    for number, card in enumerate(cards):
        realm.put(f"crm/{number}", card)
    realm.settle()
    ids = [realm.customer(f"crm/{number}") for number in range(3)]
    realm.put("web/1", Card("x", values=cards[1].values + cards[2].values))
    realm.settle()
    assert ids[2]
    assert resolve_id(realm.store, NAME, ids[2]) == ids[1]
    realm.put("web/2", Card("y", values=cards[0].values + cards[1].values))
    realm.settle()
    assert {resolve_id(realm.store, NAME, each or "") for each in ids} == {ids[0]}
    assert realm.entities[ids[2]].merged_into == ids[0]


def test_members_are_listed_longest_tenured_first() -> None:
    realm = two_customers()
    elder = realm.customer("crm/1")
    assert elder
    realm.delete("crm/1")
    realm.put("crm/1", RED)
    realm.settle()
    assert list(members_of(realm.store, NAME, elder)) == ["north/crm/2", "north/crm/1"]


def test_no_id_is_ever_lost_or_given_to_two() -> None:
    realm = two_customers()
    for _ in range(3):
        realm.put("bridge/1", BOTH)
        realm.delete("crm/2")
        realm.delete("bridge/1")
        realm.put("crm/2", BLUE)
        realm.put("web/1", RED)
        realm.put("crm/2", RED)
        realm.put("web/1", BLUE)
        realm.settle()
        realm.check_entities()
        for customer in realm.entities:
            assert resolve_id(realm.store, NAME, customer) in realm.entities
    assert resolve_id(realm.store, NAME, "c0never") is None
