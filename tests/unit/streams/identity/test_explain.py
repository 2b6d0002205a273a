"""Every pair can be explained: why one customer, or why not."""

from __future__ import annotations

from streams.identity.explain import Reason, Why, why, why_apart
from streams.identity.grouping import Limits
from streams.identity.processor import Settings
from tests.fakes import MemoryStore
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher
from tests.unit.streams.identity.realm import LARGE_BLOCK, Realm


def explain(realm: Realm, a: str, b: str) -> Why:
    rows = dict(realm.store.rows)
    answer = why(realm.store, FakeMatcher(), f"north/{a}", f"north/{b}", LARGE_BLOCK)
    assert realm.store.rows == rows
    return answer


def realm_of(**cards: Card) -> Realm:
    realm = Realm(Settings(secret=b"a secret", limits=Limits(margin=0), large_block=LARGE_BLOCK))
    for record, card in cards.items():
        realm.put(f"crm/{record}", card)
    realm.settle()
    return realm


STRONG = (("b", "1"), ("c", "1"))


def test_a_match_tells_levels_thresholds_and_the_keys_shared() -> None:
    answer = explain(realm_of(a=Card("ann", values=STRONG), b=Card("bob", values=STRONG)), "crm/a", "crm/b")
    assert answer.same_customer
    assert answer.reason is Reason.MATCHED
    assert answer.comparison
    assert answer.thresholds
    assert answer.comparison.score >= answer.thresholds.match
    assert [level.attribute for level in answer.comparison.levels] == ["b", "c"]
    assert [(key.kind, key.holders, key.on) for key in answer.shared] == [("b", 2, True), ("c", 2, True)]


def test_a_link_is_told() -> None:
    answer = explain(realm_of(a=Card("a", values=(("hub", "1"),)), b=Card("b", values=(("hub", "1"),))), "crm/a", "crm/b")
    assert answer.same_customer
    assert answer.reason is Reason.LINKED


def test_a_chain_shows_what_connects_two_records_that_do_not_match_themselves() -> None:
    far = (("b", "2"), ("c", "2"))
    realm = realm_of(a=Card("ann", values=STRONG), b=Card("bob", values=STRONG + far), c=Card("cyd", values=far))
    answer = explain(realm, "crm/a", "crm/c")
    assert answer.same_customer
    assert answer.reason is Reason.CONNECTED
    assert [(step.record, step.other) for step in answer.chain] == [
        ("north/crm/a", "north/crm/b"),
        ("north/crm/b", "north/crm/c"),
    ]


def test_records_without_a_common_key_were_not_compared() -> None:
    assert explain(realm_of(a=Card("a"), b=Card("a")), "crm/a", "crm/b").reason is Reason.NOT_COMPARED


def test_a_key_held_by_too_many_is_shown_to_be_off() -> None:
    realm = realm_of(**{f"r{n}": Card("x", values=(("a", "1"),)) for n in range(5)})
    answer = explain(realm, "crm/r0", "crm/r1")
    assert answer.reason is Reason.NOT_COMPARED
    assert answer.shared[0].holders == 5
    assert not answer.shared[0].on
    assert answer.shared[0].generic


def test_a_weak_pair_is_told_from_a_possible_one() -> None:
    weak = realm_of(a=Card("a", camp="red", values=(("b", "1"),)), b=Card("b", camp="blue", values=(("b", "1"),)))
    assert explain(weak, "crm/a", "crm/b").reason is Reason.TOO_WEAK
    possible = realm_of(a=Card("ann", values=(("b", "1"),)), b=Card("ann", values=(("b", "1"),)))
    assert explain(possible, "crm/a", "crm/b").reason is Reason.POSSIBLE


def test_a_contradiction_is_told() -> None:
    strong = (*STRONG, ("b", "2"), ("c", "2"))
    realm = realm_of(a=Card("a", "red", strong), b=Card("b", "blue", strong))
    answer = explain(realm, "crm/a", "crm/b")
    assert not answer.same_customer
    assert answer.reason is Reason.CONTRADICTED


def test_a_record_claimed_by_two_is_told() -> None:
    strong = (*STRONG, ("b", "2"), ("c", "2"))
    realm = realm_of(a=Card("x", "red", strong), b=Card("x", "blue", strong), c=Card("x", "", strong))
    answer = explain(realm, "crm/a", "crm/c")
    assert not answer.same_customer
    assert answer.reason is Reason.KEPT_APART


def test_realms_deletes_and_strangers_are_told() -> None:
    realm = realm_of(a=Card("a", values=STRONG), b=Card("b", values=STRONG))
    assert why(realm.store, FakeMatcher(), "north/crm/a", "south/crm/a").reason is Reason.UNKNOWN
    assert explain(realm, "crm/a", "crm/nobody").reason is Reason.UNKNOWN
    realm.delete("crm/b")
    answer = explain(realm, "crm/a", "crm/b")
    assert answer.reason is Reason.DELETED
    assert answer.customers == (realm.customer("crm/a"), None)


def test_records_of_two_realms_are_known_by_different_partitions() -> None:
    north = realm_of(a=Card("a"))
    south = MemoryStore({key.replace(b"north", b"south"): row for key, row in realm_of(b=Card("b")).store.rows.items()})
    for stores in ([north.store, south], [south, north.store]):
        answer = why_apart(stores, "north/crm/a", "south/crm/b")
        assert answer.reason is Reason.OTHER_REALMS
        assert answer.customers[0] == north.customer("crm/a")
        assert answer.customers[1]
        assert why_apart(stores, "north/crm/a", "south/crm/nobody").reason is Reason.UNKNOWN


def test_while_a_realm_is_grouped_again_the_answer_says_so() -> None:
    realm = realm_of(**{f"r{n}": Card("x") for n in range(14)})
    realm.put("crm/a", Card("ann", values=(("b", "1"), ("c", "1"))))
    realm.put("crm/b", Card("bob", values=(("b", "1"), ("c", "1"))))
    assert realm.waiting
    for number in range(8):
        realm.delete(f"crm/r{number}")
    realm.waiting.clear()
    assert explain(realm, "crm/a", "crm/b").reason in {Reason.REGROUPING, Reason.MATCHED, Reason.POSSIBLE}
