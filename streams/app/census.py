"""What a partition's committed state counts: records, customers, merges. Read from a few rows, never by reading all."""

from __future__ import annotations

from collections.abc import Iterator

from streams.app.figures import Sample
from streams.customers import rows as customer_rows
from streams.engine import metrics
from streams.engine.contract import Store
from streams.identity.explain import realms
from streams.identity.rows import REALM, Keys
from streams.records import TALLIES, TALLY_KEY, Tally, records_by_source


def census(processor: str, partition: int, store: Store) -> Iterator[Sample]:
    """The figures of one partition of a processor, as of its last commit. Raises StoreError."""
    place = (processor, str(partition))
    match processor:
        case "records":
            found = store.get(TALLY_KEY)
            if found:
                yield from _of_records(place, TALLIES.decode(found), store)
        case "customers":
            found = store.get(customer_rows.TALLY_KEY)
            if found:
                yield Sample(metrics.UNSETTLED, place, customer_rows.TALLIES.decode(found).unsettled)
        case "identity":
            yield from _of_identity(place, store)


def _of_records(place: tuple[str, str], tally: Tally, store: Store) -> Iterator[Sample]:
    for reason, count in (
        ("whole", tally.stale),
        ("partly", tally.partly_stale),
        ("incomparable", tally.incomparable),
        ("backwards", tally.backwards),
    ):
        yield Sample(metrics.STALE, (*place, reason), count)
    yield Sample(metrics.WITHOUT_CUSTOMER, place, tally.without_customer)
    by_source = records_by_source(store)
    for (realm, source), count in by_source.items():
        yield Sample(metrics.SOURCE_RECORDS, (*place, realm, source), count)
    if rest := tally.records - sum(by_source.values()):  # of before they were counted so
        yield Sample(metrics.SOURCE_RECORDS, (*place, "", ""), rest)


def _of_identity(place: tuple[str, str], store: Store) -> Iterator[Sample]:
    for realm in realms([store]):
        found = store.get(Keys(realm).realm)
        if found:
            row = REALM.decode(found)
            yield Sample(metrics.CUSTOMERS, (*place, realm), row.customers)
            yield Sample(metrics.MERGES, (*place, realm), row.merges)
            yield Sample(metrics.SPLITS, (*place, realm), row.splits)
