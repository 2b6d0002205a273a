"""Whatever happens to a realm, its edges and its grouping are those its live records alone would have."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.streams.identity import oracle
from tests.unit.streams.identity.fake_matcher import Card, FakeMatcher
from tests.unit.streams.identity.realm import LARGE_BLOCK, LIMITS, Realm

FLOOR = FakeMatcher().thresholds(0).review

RECORDS = [f"crm/{n}" for n in range(9)] + [f"web/{n}" for n in range(9)]
VALUES = st.sampled_from([
    *(("a", f"{n}") for n in range(3)),
    *(("b", f"{n}") for n in range(3)),
    *(("c", f"{n}") for n in range(3)),
    *(("hub", f"{n}") for n in range(2)),
    *(("number", f"{n}") for n in range(2)),
])  # fmt: skip
CARDS = st.builds(
    Card,
    name=st.sampled_from(["", "ann", "bob", "cyd", "dan"]),
    camp=st.sampled_from(["", "", "red", "blue"]),
    values=st.lists(VALUES, max_size=4, unique=True).map(lambda values: tuple(sorted(values))),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(RECORDS), CARDS),
        st.tuples(st.just("put"), st.sampled_from(RECORDS), CARDS),
        st.tuples(st.just("put"), st.sampled_from(RECORDS), CARDS),
        st.tuples(st.just("delete"), st.sampled_from(RECORDS), st.none()),
        st.tuples(st.just("regroup"), st.none(), st.none()),
    ),
    max_size=40,
)


def walk(realm: Realm, steps: list[tuple[str, str, Card]]) -> None:
    for step, record, card in steps:
        if step == "put":
            realm.put(record, card)
        elif step == "delete":
            realm.delete(record)
        elif realm.waiting:
            realm.send(realm.waiting.pop(0))


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_edges_and_groups_are_those_of_the_live_records(steps: list[tuple[str, str, Card]]) -> None:
    realm = Realm()
    walk(realm, steps)
    assert realm.edges() == oracle.edges(realm.cards, FLOOR)
    realm.check_entities()
    realm.settle()
    assert realm.groups() == oracle.grouping(realm.cards, LARGE_BLOCK, LIMITS)
    realm.check_entities()
