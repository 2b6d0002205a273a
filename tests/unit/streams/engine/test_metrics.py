from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.engine import metrics
from streams.engine.metrics import METRICS, Kind, Metric

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"

BOUNDED_LABELS = {
    "realm",
    "source",
    "attribute",
    "result",
    "processor",
    "path",
    "topic",
    "partition",
    "step",
    "reason",
    "version",
    "instance",
}
"""Labels whose values are configured, or written in the code: nothing of a customer."""


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.unit} | {metric.meaning} |"


def test_every_metric_declared_is_in_the_list_once() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, Metric)]
    assert sorted(METRICS) == sorted(declared)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants_and_its_labels_are_bounded(metric: Metric) -> None:
    assert re.fullmatch(r"singleview_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") <= (metric.unit == "seconds")
    assert set(metric.labels) <= BOUNDED_LABELS
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_the_table_in_the_documentation_is_this_list() -> None:
    rows = re.compile(r"\| `singleview_\w+` \| (counter|gauge|histogram) \|")
    told = [line for line in OPERATIONS.read_text(encoding="utf-8").splitlines() if rows.match(line)]
    assert told == [row(metric) for metric in METRICS]
