"""Every view is published again as it was last."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from schemas.canonical import Attributes, Email
from schemas.messages import CUSTOMERS, CustomersInbox, Republish
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW
from schemas.topics import CUSTOMERS as INBOX
from streams.customers import republish
from streams.engine.contract import ENGINE
from streams.engine.outbox import BatchOutbox
from tests.fakes import message
from tests.unit.streams.customers.parts import Bench, attached, detached, entity, updated

ANN, BOB = (Attributes(kind="individual", emails=[Email(value=f"{name}@x.example")]) for name in ("ann", "bob"))


class Town(NamedTuple):
    """Customers as they come, and what was last published of each."""

    bench: Bench
    views: dict[bytes | None, bytes | None]

    def give(self, *messages: CustomersInbox) -> None:
        self.bench.give(*messages)
        self.views.update((each.key, each.value) for each in self.bench.out.on(CUSTOMER_VIEW))


@pytest.fixture
def town() -> Town:
    """Customers that live, have another version, were merged away, deleted, and one that nobody has seen yet."""
    town = Town(Bench(), {})
    for number in range(7):
        record, customer = f"north/crm/{number}", f"c{number}"
        town.give(attached(record, ANN, customer), entity([record], customer=customer))
    town.give(updated("north/crm/1", BOB, "c1", sequence=2))
    town.give(detached("north/crm/2", "c2"), entity([], customer="c2", epoch=2))
    town.give(detached("north/crm/3", "c3"), entity([], customer="c3", epoch=2, merged_into="c1"))
    town.give(attached("north/crm/9", ANN, "c9"))
    town.bench.store.put(ENGINE + b"row/c", b"of the engine")
    return town


@pytest.mark.parametrize("rows", [1, 3, 1_000])
def test_every_view_is_published_again_byte_for_byte_and_nothing_is_told_as_a_change(
    town: Town, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(republish, "ROWS", rows)
    bench = town.bench
    before = dict(bench.store.rows)
    assert bench.give(Republish()) == []
    again = [(each.key, each.value) for each in bench.out.on(CUSTOMER_VIEW)]
    assert len(again) == 7
    assert dict(again) == town.views
    assert bench.out.on(CUSTOMER_CHANGES) == []
    assert bench.store.rows == before
    asked = [CUSTOMERS.decode(each.value or b"") for each in bench.out.on(INBOX)]
    assert (len(asked) > 1) == (rows < 5)


def test_what_goes_on_is_sent_to_the_partition_of_a_customer_it_has_just_looked_at(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(republish, "ROWS", 4)
    town.bench.give(Republish())
    for sent in town.bench.out.on(INBOX):
        asked = CUSTOMERS.decode(sent.value or b"")
        assert isinstance(asked, Republish)
        assert sent.key == asked.after.partition(b"/")[0]


@pytest.mark.parametrize("change_comes_first", [True, False])
def test_a_view_that_changes_in_the_same_batch_is_never_followed_by_the_older_one(
    town: Town, change_comes_first: bool
) -> None:
    change = message(CUSTOMERS.encode(updated("north/crm/0", BOB, "c0", sequence=2)))
    asked = message(CUSTOMERS.encode(Republish()))
    batch = [change, asked] if change_comes_first else [asked, change]
    out, bench = BatchOutbox(), town.bench
    bench.processor.prepare(batch, bench.store)
    for each in batch:
        bench.processor.process(each, bench.store, out)
    sent = [each.value for each in out.outgoing() if (each.topic, each.key) == (CUSTOMER_VIEW, b"c0")]
    assert [bench.codec.decode_view(value or b"").version for value in sent] == [2]


def test_an_older_reader_does_not_take_it_for_something_else() -> None:
    assert CUSTOMERS.encode(Republish())[0] == 2
