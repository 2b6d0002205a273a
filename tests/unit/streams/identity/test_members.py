"""Members of a customer: on its page while they are few, beyond that rows of their own."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.identity.members import INLINE, join, leave, members
from streams.identity.rows import CUSTOMER, CustomerRow, Keys
from tests.fakes import MemoryStore

KEYS = Keys("north")
CUSTOMER_ID = "c123"


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_they_are_listed_by_tenure_however_many_came_and_went(seed: int) -> None:
    random, store, page = Random(seed), MemoryStore(), CustomerRow(1, "crm/0", CUSTOMER_ID)
    tenures: dict[str, int] = {}
    tenure_of = list(range(500))
    random.shuffle(tenure_of)  # who joins later may have been here for longer
    grows = 0.8
    for step in range(120):
        grows = 1 - grows if step % 30 == 29 else grows
        if tenures and random.random() > grows:
            record = random.choice(list(tenures))
            leave(store, KEYS, CUSTOMER_ID, page, record, tenures.pop(record))
        else:
            record = f"crm/{step}"
            tenures[record] = tenure_of.pop()
            join(store, KEYS, CUSTOMER_ID, page, record, tenures[record])
        assert page.count == len(tenures)
        assert list(members(store, KEYS, CUSTOMER_ID, page)) == sorted(tenures, key=tenures.__getitem__)
        assert bool(page.members) == (0 < len(tenures) <= INLINE)
        assert len(store.rows) == (len(tenures) if len(tenures) > INLINE else 0)


def test_a_page_does_not_grow_with_its_customer() -> None:
    store, page = MemoryStore(), CustomerRow(1, "crm/0", CUSTOMER_ID)
    for number in range(1_000):
        join(store, KEYS, CUSTOMER_ID, page, f"crm/{number}", number)
    assert len(CUSTOMER.encode(page)) < 100


def test_one_member_more_of_a_large_customer_writes_one_row() -> None:
    store, page = MemoryStore(), CustomerRow(1, "crm/0", CUSTOMER_ID)
    for number in range(50):
        join(store, KEYS, CUSTOMER_ID, page, f"crm/{number}", number)
    before = dict(store.rows)
    join(store, KEYS, CUSTOMER_ID, page, "crm/new", 50)
    assert store.rows.items() - before.items() == {(KEYS.member(CUSTOMER_ID, 50), b"crm/new")}
