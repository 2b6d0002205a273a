from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from streams.app.exposition import Exposition
from streams.app.figures import Figures
from streams.app.watch import Snapshot, Watch
from streams.engine import metrics
from streams.engine.log import Inbox


def told(exposition: Exposition) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(exposition.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def watch(processor: str, figures: Figures) -> Watch:
    found = Watch(processor)
    found.snapshot = Snapshot(found.started, figures.samples(), (Inbox("in", 0),), polled=True)
    return found


def test_the_figures_of_every_watch_are_rendered_for_prometheus(tmp_path: Path) -> None:
    records, notify = Figures(), Figures()
    records.set(metrics.MESSAGES, ("records",), 7)
    records.set(metrics.DEAD_LETTERS, ("records", "bad"), 2)
    notify.set(metrics.MESSAGES, ("notify",), 3)
    notify.observe(metrics.NOTIFICATION_SECONDS, ("notify",), 0.15)
    notify.observe(metrics.NOTIFICATION_SECONDS, ("notify",), 1e9)
    found = told(Exposition([watch("records", records), watch("notify", notify)], "host-0", tmp_path))
    assert found["singleview_messages_total", (("processor", "records"),)] == 7
    assert found["singleview_messages_total", (("processor", "notify"),)] == 3
    assert found["singleview_dead_letters_total", (("processor", "records"), ("reason", "bad"))] == 2
    assert found["singleview_ready", (("processor", "records"),)] == 1
    latency = "singleview_notification_seconds"
    assert found[latency + "_bucket", (("le", "0.1"), ("processor", "notify"))] == 0
    assert found[latency + "_bucket", (("le", "0.2"), ("processor", "notify"))] == 1
    assert found[latency + "_bucket", (("le", "+Inf"), ("processor", "notify"))] == 2
    assert found[latency + "_count", (("processor", "notify"),)] == 2
    assert any(name == "singleview_info" and ("instance", "host-0") in labels for name, labels in found)
    assert any(name == "process_resident_memory_bytes" for name, _ in found)


def test_the_size_of_each_store_is_what_its_files_take(tmp_path: Path) -> None:
    (tmp_path / "records" / "3").mkdir(parents=True)
    (tmp_path / "records" / "3" / "rows.sst").write_bytes(b"x" * 100)
    (tmp_path / "records" / "3" / "LOG").write_bytes(b"x" * 11)
    (tmp_path / "records" / "set-aside").mkdir()
    found = told(Exposition([], "host-0", tmp_path))
    sizes = {labels: value for (name, labels), value in found.items() if name == "singleview_store_bytes"}
    assert sizes == {(("partition", "3"), ("processor", "records")): 111}


def test_every_metric_is_described_even_before_it_has_a_value(tmp_path: Path) -> None:
    text = Exposition([], "host-0", tmp_path).text().decode()
    for metric in metrics.METRICS:
        assert f"# HELP {metric.name} " in text
        assert f"# TYPE {metric.name} {metric.kind}" in text
