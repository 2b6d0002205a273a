"""What is done in a shorter way, because it is by far the most, comes to what the general way comes to."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.identity import desk, filing
from streams.identity.features import Features
from streams.identity.ledger import Settlement
from streams.identity.veto import cluster_veto, may_contradict
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher
from tests.unit.streams.identity.people import any_record
from tests.unit.streams.identity.realm import Realm
from tests.unit.streams.identity.walks import FLAVOURS, history, walk


def walked(flavour: str, seed: int) -> Realm:
    realm = Realm()
    walk(realm, history(FLAVOURS[flavour], seed))
    realm.settle()
    return realm


@pytest.fixture(params=FLAVOURS)
def quick(request: pytest.FixtureRequest) -> dict[int, Realm]:
    return {seed: walked(request.param, seed) for seed in range(4)}


def check(quick: dict[int, Realm], flavour: str) -> None:
    for seed, realm in quick.items():
        general = walked(flavour, seed)
        assert general.store.rows == realm.store.rows, seed
        assert general.said == realm.said, seed
        assert general.memberships == realm.memberships, seed


def test_growth_is_settled_as_any_change_is(
    quick: dict[int, Realm], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settlement, "_settle_growth", lambda self, clusters: False)
    check(quick, request.node.callspec.params["quick"])


def test_a_component_without_contradictions_is_grouped_as_any_is(
    quick: dict[int, Realm], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeMatcher, "may_contradict", lambda self, records: True)
    check(quick, request.node.callspec.params["quick"])


def test_a_block_that_only_grows_is_looked_at_as_any_is(
    quick: dict[int, Realm], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_only_grows", lambda desk, old, new: False)
    check(quick, request.node.callspec.params["quick"])


def test_reading_ahead_changes_nothing(
    quick: dict[int, Realm], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.Desk, "prefetch", lambda self, records, keys: None)
    check(quick, request.node.callspec.params["quick"])


def test_the_shortcuts_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = set()
    settle_growth, only_grows, may = Settlement._settle_growth, filing._only_grows, FakeMatcher.may_contradict

    def spy_settle(self: Settlement[Card], clusters: Sequence[tuple[str, ...]]) -> bool:
        answer = settle_growth(self, clusters)
        taken.add(("growth", answer))
        return answer

    def spy_grows(*args: object) -> bool:
        answer = only_grows(*args)  # type: ignore[arg-type]
        taken.add(("block", answer))
        return answer

    def spy_may(self: FakeMatcher, records: Sequence[Card]) -> bool:
        answer = may(self, records)
        taken.add(("contradiction", not answer))
        return answer

    monkeypatch.setattr(Settlement, "_settle_growth", spy_settle)
    monkeypatch.setattr(filing, "_only_grows", spy_grows)
    monkeypatch.setattr(FakeMatcher, "may_contradict", spy_may)
    for flavour in ("companies", "blocks with neighbours", "camps"):
        walked(flavour, 1)
    assert taken == {(what, answer) for what in ("growth", "block", "contradiction") for answer in (True, False)}


@settings(max_examples=400, deadline=None)
@given(st.lists(any_record(), min_size=2, max_size=5), st.integers(0, 2**32))
def test_records_that_do_not_contradict_make_no_clusters_that_do(records: list[Features], seed: int) -> None:
    if may_contradict(records):
        return
    random = Random(seed)
    for _ in range(8):
        random.shuffle(records)
        cut = random.randint(1, len(records) - 1)
        assert not cluster_veto(records[:cut], records[cut:])
