"""The metrics in Prometheus' text format: what the watches last told, and the process's own figures."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from schemas.versions import installed
from streams.app.figures import Distribution, Sample
from streams.app.health import healths
from streams.app.watch import Watch
from streams.engine import metrics
from streams.engine.metrics import METRICS, Kind, Metric


class Exposition:
    """Renders the figures of one process."""

    def __init__(self, watches: Sequence[Watch], instance: str, stores: Path) -> None:
        """`stores`: the folder of this instance's stores."""
        self._registry = CollectorRegistry()
        self._registry.register(_Watches(watches, instance, stores))
        ProcessCollector(registry=self._registry)  # memory, CPU, file descriptors, start time

    def text(self) -> bytes:
        """All series, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Watches(Collector):
    def __init__(self, watches: Sequence[Watch], instance: str, stores: Path) -> None:
        self._watches = watches
        self._info = Sample(metrics.INFO, (installed(), instance), 1)
        self._stores = stores

    def collect(self) -> Iterator[Family]:
        samples = [self._info, *store_sizes(self._stores)]
        found = healths(self._watches, time.monotonic())
        samples += [Sample(metrics.READY, (one.processor,), one.ready) for one in found]
        for watch in self._watches:
            samples.extend(watch.snapshot.samples)
        for metric in METRICS:
            yield family(metric, [sample for sample in samples if sample.metric is metric])


def family(metric: Metric, samples: Iterable[Sample]) -> Family:
    """A metric and its series, as prometheus-client renders them."""
    text = f"{metric.meaning} ({metric.unit})" if metric.unit else metric.meaning
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, text, labels=metric.labels)
        bounds = [*map(str, metric.buckets), "+Inf"]
        for sample in samples:
            assert isinstance(sample.value, Distribution)
            counts = list(zip(bounds, sample.value.cumulative, strict=True))
            histogram.add_metric(sample.labels, counts, sample.value.total)
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    plain = kind(metric.name, text, labels=metric.labels)
    for sample in samples:
        assert not isinstance(sample.value, Distribution)
        plain.add_metric(sample.labels, sample.value)
    return plain


def store_sizes(stores: Path) -> Iterator[Sample]:
    """What each store takes on disk. A file that is being deleted counts as gone."""
    for folder in sorted(stores.glob("*/*")):
        if folder.is_dir() and folder.name.isdigit():
            yield Sample(metrics.STORE_BYTES, (folder.parent.name, folder.name), folder_bytes(folder))


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # RocksDB deletes files at any time
            continue
    return total
