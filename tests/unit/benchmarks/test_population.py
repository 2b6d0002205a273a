from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.population import NOW, PLANTS, Plant, customers, records, tokens
from streams.engine.contract import Message
from tests.fakes import MemoryStore, RecordingOutbox


@pytest.mark.parametrize("make", PLANTS)
def test_a_substituted_customer_is_updated_as_the_pattern_is(make: Callable[[], Plant]) -> None:
    plant = make()
    store = MemoryStore(dict(plant.population(3)))
    assert len(store.rows) == 3 * len(plant.rows)
    out = RecordingOutbox()
    (update,) = plant.updates([1])
    plant.processor.process(update, store, out)
    assert out.sent
    assert all(tokens(0).customer not in (sent.value or b"") for sent in out.sent)


@pytest.mark.parametrize("make", [records, customers])
def test_an_update_said_twice_has_an_effect_only_once(make: Callable[[], Plant]) -> None:
    plant = make()
    store, out = MemoryStore(dict(plant.population(1))), RecordingOutbox()
    (update,) = plant.updates([0])
    plant.processor.process(update, store, out)
    out.take()
    again = Message("inbox", 0, 1, update.key, update.value, (), NOW)
    plant.processor.process(again, store, out)
    assert not out.sent


@pytest.mark.parametrize("make", PLANTS)
def test_rows_come_in_the_order_of_their_keys(make: Callable[[], Plant]) -> None:
    keys = [key for key, _ in make().population(20)]
    assert keys == sorted(keys)
