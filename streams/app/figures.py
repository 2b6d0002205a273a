"""The figures of one processor instance: written by its thread, told to others as an immutable copy."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import NamedTuple

from streams.engine.metrics import Kind, Metric

Labels = tuple[str, ...]


class Distribution(NamedTuple):
    """A histogram at one moment."""

    cumulative: tuple[int, ...]  # observations up to each bound of the metric, then all
    total: float


class Sample(NamedTuple):
    """One series of a metric at one moment."""

    metric: Metric
    labels: Labels
    value: float | Distribution


class Figures:
    """Counters and gauges as numbers, histograms as counts by bucket. Not thread-safe."""

    def __init__(self) -> None:
        self._values: dict[tuple[Metric, Labels], float] = {}
        self._counts: dict[tuple[Metric, Labels], list[int]] = {}
        self._totals: dict[tuple[Metric, Labels], float] = {}

    def set(self, metric: Metric, labels: Labels, value: float) -> None:
        """The value of a gauge, or of a counter that somebody else counts."""
        assert metric.kind is not Kind.HISTOGRAM
        assert len(labels) == len(metric.labels)
        self._values[metric, labels] = value

    def observe(self, metric: Metric, labels: Labels, value: float) -> None:
        """One observation of a histogram."""
        series = metric, labels
        counts = self._counts.get(series)
        if counts is None:
            assert metric.kind is Kind.HISTOGRAM
            assert len(labels) == len(metric.labels)
            counts = self._counts[series] = [0] * (len(metric.buckets) + 1)
        counts[bisect_left(metric.buckets, value)] += 1
        self._totals[series] = self._totals.get(series, 0.0) + value

    def forget(self, *metrics: Metric) -> None:
        """Drops every series of these gauges or counters: what is not set again is gone."""
        for series in [series for series in self._values if series[0] in metrics]:
            del self._values[series]

    def samples(self) -> tuple[Sample, ...]:
        """A copy that no later call changes."""
        plain = [Sample(metric, labels, value) for (metric, labels), value in self._values.items()]
        for series, counts in self._counts.items():
            plain.append(Sample(*series, Distribution(tuple(accumulate(counts)), self._totals[series])))
        return tuple(plain)
