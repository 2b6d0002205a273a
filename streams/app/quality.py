"""How right a grouping is: pairwise precision and recall against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple


class Quality(NamedTuple):
    """Over pairs of records: the share of those put together that belong together, and of those that belong, that were."""

    precision: float
    recall: float
    true_pairs: int
    found_pairs: int
    right_pairs: int
    missing: int  # records of the truth that were given no customer

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def compare_to_truth(found: Mapping[str, Hashable], truth: Mapping[str, Hashable]) -> Quality:
    """Over the records of the truth; a record without a customer stands alone. No pairs to find counts as all found."""
    # Pairs inside a group of n are n(n-1)/2, so counting groups is enough.
    right: Counter[tuple[Hashable, Hashable]] = Counter()
    grouped: Counter[Hashable] = Counter()
    for record, cluster in truth.items():
        customer = found.get(record, ("alone", record))
        right[cluster, customer] += 1
        grouped[customer] += 1
    true_pairs = _pairs(Counter(truth.values()))
    found_pairs = _pairs(grouped)
    right_pairs = _pairs(right)
    return Quality(
        right_pairs / found_pairs if found_pairs else 1.0,
        right_pairs / true_pairs if true_pairs else 1.0,
        true_pairs,
        found_pairs,
        right_pairs,
        sum(record not in found for record in truth),
    )


def _pairs(groups: Counter[Any]) -> int:
    return sum(n * (n - 1) // 2 for n in groups.values())
