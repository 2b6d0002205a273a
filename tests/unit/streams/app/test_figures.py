from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.app.figures import Distribution, Figures, Sample
from streams.engine import metrics

BOUNDS = metrics.HOP_SECONDS.buckets


@given(st.lists(st.floats(0, 1e6) | st.sampled_from(BOUNDS), max_size=50))
def test_a_histogram_counts_what_is_at_or_below_each_bound(values: list[float]) -> None:
    figures = Figures()
    for value in values:
        figures.observe(metrics.HOP_SECONDS, ("records",), value)
    if not values:
        assert figures.samples() == ()
        return
    (sample,) = figures.samples()
    assert isinstance(sample.value, Distribution)
    expected = [sum(value <= bound for value in values) for bound in BOUNDS]
    assert list(sample.value.cumulative) == [*expected, len(values)]
    assert sample.value.total == pytest.approx(sum(values))


def test_samples_are_a_copy_that_does_not_change() -> None:
    figures = Figures()
    figures.set(metrics.MESSAGES, ("records",), 1)
    figures.observe(metrics.HOP_SECONDS, ("records",), 1.0)
    before = figures.samples()
    copy = tuple(before)
    figures.set(metrics.MESSAGES, ("records",), 2)
    figures.observe(metrics.HOP_SECONDS, ("records",), 1.0)
    assert before == copy
    assert figures.samples() != before


def test_what_is_forgotten_and_not_set_again_is_gone() -> None:
    figures = Figures()
    figures.set(metrics.LAG, ("records", "records", "0"), 5)
    figures.set(metrics.MESSAGES, ("records",), 1)
    figures.forget(metrics.LAG)
    assert figures.samples() == (Sample(metrics.MESSAGES, ("records",), 1),)
