from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from streams.app.quality import compare_to_truth


@given(st.dictionaries(st.integers(0, 12).map(str), st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2))
def test_counting_groups_equals_counting_pairs(labels: dict[str, tuple[int, int]]) -> None:
    truth = {record: cluster for record, (cluster, _) in labels.items()}
    found = {record: customer for record, (_, customer) in labels.items()}
    pairs = list(combinations(labels, 2))
    right = sum(truth[a] == truth[b] and found[a] == found[b] for a, b in pairs)
    quality = compare_to_truth(found, truth)
    assert quality.right_pairs == right
    assert quality.true_pairs == sum(truth[a] == truth[b] for a, b in pairs)
    assert quality.found_pairs == sum(found[a] == found[b] for a, b in pairs)


def test_a_record_without_a_customer_counts_as_missed_and_stands_alone() -> None:
    quality = compare_to_truth({"a": "c1"}, {"a": "t", "b": "t", "c": "t"})
    assert (quality.precision, quality.recall, quality.missing) == (1.0, 0.0, 2)
    assert quality.f1 == 0.0


def test_a_perfect_grouping_has_no_error() -> None:
    quality = compare_to_truth({"a": 1, "b": 1, "c": 2}, {"a": "x", "b": "x", "c": "y"})
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 1.0, 1.0)
