from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from connectors.simulated import SOURCES, SourceEvent, generate
from connectors.simulated.files import FolderError, read_folder, read_summary, read_truth, write_folder

CUSTOMERS, SEED = 400, 11


def quiet(done: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("generated") / "csp"
    write_folder(CUSTOMERS, SEED, output, quiet)
    return output


def test_what_is_read_is_what_was_generated_but_for_the_truth(folder: Path) -> None:
    generated = [event._replace(truth=None) for event in generate(CUSTOMERS, SEED)]
    assert list(read_folder(folder)) == generated


def test_every_kind_of_value_survives(folder: Path) -> None:
    values = [event.value for event in read_folder(folder)]
    assert None in values
    assert any(isinstance(value, bytes) and b"\xff" in value for value in values)
    assert any(isinstance(value, tuple) for value in values)


def test_the_truth_is_written_once_per_record(folder: Path) -> None:
    assert list(read_truth(folder)) == [event.truth for event in generate(CUSTOMERS, SEED) if event.truth]


def test_the_manifest_counts_what_was_written(folder: Path) -> None:
    summary = read_summary(folder)
    assert (summary.customers, summary.seed) == (CUSTOMERS, SEED)
    assert set(summary.events) == set(SOURCES.values())
    assert sum(summary.events.values()) == len(list(read_folder(folder)))
    assert summary.records == len(list(read_truth(folder)))


def test_progress_ends_with_the_number_of_events(tmp_path: Path) -> None:
    told: list[int] = []
    summary = write_folder(300, 1, tmp_path / "out", told.append)
    assert told == sorted(told)
    assert told[-1] == sum(summary.events.values())


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    with pytest.raises(FolderError, match="exists already"):
        write_folder(1, 1, folder, quiet)
    assert read_summary(folder).customers == CUSTOMERS


def test_an_interrupted_folder_is_not_there(tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(10, 1, tmp_path / "out", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    write_folder(5, 1, tmp_path, quiet)
    assert read_summary(tmp_path).customers == 5


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda f: (f / "billing.customer.jsonl").unlink(), "billing.customer.jsonl is missing"),
        (lambda f: (f / "billing.customer.jsonl").write_text('{"timestamp":"no"}\n'), "billing.customer.jsonl:1: "),
    ],
)
def test_a_damaged_folder_says_where(tmp_path: Path, damage: object, message: str) -> None:
    write_folder(5, 1, tmp_path / "out", quiet)
    assert callable(damage)
    damage(tmp_path / "out")
    with pytest.raises(FolderError, match=message):
        list(read_folder(tmp_path / "out"))


def test_reading_keeps_a_line_per_topic(folder: Path) -> None:
    first: list[SourceEvent] = list(islice(read_folder(folder), 3))
    assert [event.timestamp for event in first] == sorted(event.timestamp for event in first)
