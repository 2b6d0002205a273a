"""Every row of docs/sources.md: its mapping reads its sample, and each event becomes what the sample says of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.mappings import check, load_mapping
from connectors.mappings.check import Checked
from schemas.messages import Order
from tests.unit.connectors.mappings.support import DictRegistry

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "sources.md"
EXAMPLES = ROOT / "connectors" / "mappings" / "examples"
NEEDS_MORE = {"billing", "orders", "selfcare", "partner", "febrl"}  # tested with the simulated systems, and as a file


class Row(NamedTuple):
    system: str
    mapping: Path
    cells: list[str]

    @property
    def sample(self) -> Path:
        name = self.mapping.with_suffix(".jsonl").name
        beside = self.mapping.with_name(name)
        return self.mapping.parent / "samples" / name if self.mapping.parent == EXAMPLES else beside


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and (link := re.search(r"\]\((\S+\.yaml)\)", line)):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.append(Row(cells[0], (PAGE.parent / link[1]).resolve(), cells[2:]))
    return found


def said(event: Checked) -> str:
    return "; ".join(f"{change['operation']} of {change['record']}" for change in event.changes) or "nothing"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.mapping.stem)
def test_the_sample_of_a_source_becomes_what_it_says(row: Row) -> None:
    report = check(row.mapping, [row.sample], DictRegistry())
    assert report.fine, [event for event in report.events if event.reason] or report.problems
    lines = [json.loads(line) for line in row.sample.read_text(encoding="utf-8").splitlines()]
    assert [said(event) for event in report.events] == [line["note"] for line in lines]
    assert report.unfound == ()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.mapping.stem)
def test_every_event_of_a_sample_is_newer_than_the_one_before(row: Row) -> None:
    last: dict[str, Order] = {}
    for event in check(row.mapping, [row.sample], DictRegistry()).events:
        for change in event.changes:
            record, order = str(change["record"]), _order(change)
            assert record not in last or (order.compare(last[record]) or 0) > 0, event.sample
            last[record] = order


def _order(change: dict[str, Any]) -> Order:
    scope, position = change["order"][:2]
    return Order(scope, tuple(position))


def test_the_page_says_of_each_source_what_its_mapping_does_with_tombstones() -> None:
    assert len(rows()) > 20
    for row in rows():
        assert len(row.cells) == 4, row.system
        assert all(row.cells[:3]), row.system
        found = re.search(r"^tombstones: (\w+)", row.mapping.read_text(encoding="utf-8"), re.MULTILINE)
        said = "passed over" if load_mapping(row.mapping).format == "debezium" else f"`{found[1]}`" if found else "none"
        assert row.cells[2].startswith(said), row.system


def test_every_sample_and_shipped_mapping_is_on_the_page_or_tested_elsewhere() -> None:
    listed = {row.mapping for row in rows()}
    assert set((ROOT / "tests" / "samples").glob("*.yaml")) <= listed
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {
        row.mapping.stem for row in rows() if row.mapping.parent == EXAMPLES
    } | NEEDS_MORE


@pytest.mark.parametrize("page", ["README.md", "docs/mappings.md"])
def test_the_number_of_shipped_mappings_is_as_it_is_told(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    count = len(list(EXAMPLES.glob("*.yaml")))
    assert re.search(rf"\b{count} (examples are|mappings are shipped) in", text)
