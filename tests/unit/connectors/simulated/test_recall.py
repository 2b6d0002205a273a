from __future__ import annotations

import pytest

from connectors.simulated.capture import JUNK_BIRTH, Held
from connectors.simulated.countries import COUNTRIES
from connectors.simulated.recall import Evidence, Reach, evidence_of, reachable_recall
from connectors.simulated.systems import OrdersRecord, SelfcareRecord


@pytest.fixture(scope="module")
def reach() -> Reach:
    return reachable_recall(1_500, 42)


def test_nearly_all_true_pairs_can_be_found_and_on_good_evidence(reach: Reach) -> None:
    assert reach.best_recall >= 0.995
    assert reach.evident_recall >= 0.98


def test_but_not_without_effort(reach: Reach) -> None:
    assert reach.hard / reach.pairs >= 0.10
    assert reach.identified / reach.pairs <= 0.35


def test_pairs_joined_are_never_more_than_pairs(reach: Reach) -> None:
    assert reach.evident <= reach.in_common <= reach.pairs
    assert Reach(0, 0, 0, 0, 0, 0).best_recall == 1


def held(**values: object) -> Evidence:
    facts = Held(COUNTRIES["GB"], 1)
    for name, value in values.items():
        setattr(facts, name, value)
    return evidence_of(SelfcareRecord(1, "north", facts))


def test_a_name_alone_is_something_in_common_but_not_evident() -> None:
    a, b = held(given="Ann", family="Smith"), held(given="Ann", family="Smith")
    assert a.shares_any(b)
    assert not a.is_evident(b)


def test_a_name_and_a_phone_are_evident() -> None:
    a, b = held(given="Ann", family="Smith", mobile="+441"), held(given="Anne", family="Smith", mobile="+441")
    assert a.is_evident(b)


def test_an_equal_identification_is_evident_alone() -> None:
    assert held(passport="1").is_evident(held(passport="1"))
    assert not held(passport="1").is_evident(held(national_id="1"))


def test_junk_is_nothing_in_common() -> None:
    assert not held(birth=JUNK_BIRTH, mobile="0000000000").shares_any(held(birth=JUNK_BIRTH, mobile="0000000000"))


def test_a_birth_date_with_day_and_month_exchanged_agrees() -> None:
    assert held(birth="1980-02-03", email="a@b.example").is_evident(held(birth="1980-03-02", email="a@b.example"))


def test_orders_hold_what_they_were_told() -> None:
    facts = Held(COUNTRIES["DE"], 1)
    facts.given, facts.family = "Jürgen", "Weiß"
    assert evidence_of(OrdersRecord(1, "north", facts)).names == {"jurgen", "weiss"}
