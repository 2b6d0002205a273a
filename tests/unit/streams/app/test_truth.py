from __future__ import annotations

from pathlib import Path

import pytest

from streams.app.console import UsageError
from streams.app.truth import Comparison, Truth, read_truth


def read(folder: Path, text: str) -> Truth:
    path = folder / "truth.csv"
    path.write_text(text)
    return read_truth(path)


def test_a_truth_without_realms_knows_records_of_any_realm(tmp_path: Path) -> None:
    comparison = Comparison(read(tmp_path, "source,record_id,cluster\ncrm,1,a\ncrm,2,a\nweb,1,b\n"))
    comparison.add("north", "crm", "1", "c1")
    comparison.add("south", "crm", "2", "c1")
    comparison.add("south", "new", "9", "c1")
    quality, unlisted = comparison.verdict()
    assert (quality.precision, quality.recall, quality.missing, unlisted) == (1.0, 1.0, 1, 1)


def test_a_truth_that_cannot_tell_two_realms_apart_is_wrong_use(tmp_path: Path) -> None:
    comparison = Comparison(read(tmp_path, "source,record_id,cluster\ncrm,1,a\n"))
    comparison.add("north", "crm", "1", "c1")
    with pytest.raises(UsageError, match="needs a column realm"):
        comparison.add("south", "crm", "1", "c2")


def test_a_realm_column_tells_realms_apart(tmp_path: Path) -> None:
    comparison = Comparison(read(tmp_path, "realm,source,record_id,cluster\nnorth,crm,1,a\nsouth,crm,1,b\n"))
    comparison.add("north", "crm", "1", "c1")
    comparison.add("south", "crm", "1", "c1")
    assert comparison.verdict().quality.precision == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,id,cluster\ncrm,1,a\n", ":1: a truth file needs the columns source, record_id, cluster: no record_id"),
        ("source,record_id,cluster\ncrm,1,a\ncrm,2\n", ":3: 2 cells, and the header has 3"),
        ("source,record_id,cluster\ncrm,1,\n", ":2: source, record_id and cluster must not be empty"),
        ("source,record_id,cluster\ncrm,1,a\ncrm,1,a\ncrm,1,b\n", ":4: the record is in another cluster"),
        ("", ":1: there is no header"),
    ],
)
def test_a_bad_truth_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert f"truth.csv{said}" in str(caught.value)


def test_a_truth_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_truth(tmp_path / "none.csv")
