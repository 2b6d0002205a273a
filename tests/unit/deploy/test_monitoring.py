"""The Grafana dashboard and the Prometheus rules speak of metrics that there are, and of every alert the manual names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from streams.engine.metrics import METRICS, Kind
from tests.conftest import cannot_run

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "singleview.rules.yml"
RULES_TEST = Path(__file__).with_name("singleview.rules.test.yaml")
DASHBOARD = ROOT / "deploy" / "grafana" / "singleview.json"
OPERATIONS = ROOT / "docs" / "operations.md"

OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that every series has, and those of a histogram's buckets."""

METRIC = re.compile(r"\b(?:singleview|process)_[a-z_]+")
LABELS = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)|\{([^}]*)\}")


def exported() -> dict[str, set[str]]:
    """The labels of every series a process exports."""
    series: dict[str, set[str]] = {}
    for metric in METRICS:
        endings = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
        series |= {metric.name + ending: set(metric.labels) for ending in endings}
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    series |= {sample.name: set() for family in registry.collect() for sample in family.samples}
    return series


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def targets() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel.get("targets", []):
            yield target["expr"], target["legendFormat"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


EXPRESSIONS = [*(expression for expression, _ in targets()), *(rule["expr"] for rule in rules())]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_is_exported_with_these_labels(expression: str) -> None:
    series = exported()
    named = METRIC.findall(expression)
    assert named
    assert set(named) <= set(series)
    allowed = OF_PROMETHEUS.union(*(series[name] for name in named))
    for inside, matchers in LABELS.findall(expression):
        labels = {label.strip() for label in inside.split(",") if label.strip()}
        labels |= {re.split(r"[=!~]", matcher)[0].strip() for matcher in matchers.split(",") if matcher.strip()}
        assert labels <= allowed


@pytest.mark.parametrize(("expression", "legend"), list(targets()))
def test_a_legend_names_labels_that_the_series_still_have(expression: str, legend: str) -> None:
    for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
        kept = re.findall(r"\bby\s*\(([^)]*)\)", expression)
        assert all(label in {one.strip() for one in labels.split(",")} for labels in kept)
        assert kept or label in OF_PROMETHEUS


def test_panels_are_told_apart_and_do_not_lie_on_each_other() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_manual_says_of_every_alert_what_it_means() -> None:
    documented = re.findall(r"^\| `(Singleview\w+)` \|", OPERATIONS.read_text(), re.MULTILINE)
    assert documented == [rule["alert"] for rule in rules()]
    assert all(rule["annotations"]["summary"] and rule["annotations"]["action"] for rule in rules())
    assert {rule["labels"]["severity"] for rule in rules()} == {"warning", "critical"}


@pytest.mark.parametrize("arguments", [("check", "rules", RULES), ("test", "rules", RULES_TEST)], ids=["check", "test"])
def test_prometheus_takes_the_rules_and_they_alert_when_they_should(arguments: tuple[object, ...]) -> None:
    program = shutil.which("promtool")
    if program is None:
        cannot_run("there is no promtool, which checks the rules: on Debian it comes with the package prometheus")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried_in_the_rules_own_test() -> None:
    first = yaml.safe_load(RULES_TEST.read_text())["tests"][0]
    assert [case["alertname"] for case in first["alert_rule_test"]] == [rule["alert"] for rule in rules()]
