from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from connectors.mappings import Mapping, load_mapping, shipped_mapping
from connectors.simulated import SOURCES
from connectors.simulated.files import write_folder
from streams.app import offline
from streams.app.commands.resolve import resolve as command
from streams.app.console import UsageError, WorkError
from streams.app.resolve import Reject, Resolved, resolve_files
from streams.app.truth import read_truth
from streams.engine.contract import Message, Outbox, Store
from streams.records import Records

FLAT = """
source: {path: system}
format: csv
realm: brand
record_id: id
attributes:
  names: {given: first, family: last}
  birth_date: {path: born, transform: {date: iso}}
  emails: {value: {path: email, transform: email}}
  identifications: {type: {constant: national_id}, issuer: {constant: GB}, value: number}
"""
ADA = "Ada,Byron,1975-12-10,ada@example.org,N1"
BOB = "Robert,Fox,1981-02-03,fox@example.org,N2"
HEADER = "brand,system,id,first,last,born,email,number"
ROWS = [f"north,crm,1,{ADA}", f"north,web,a/b,{ADA}", f"north,crm,2,{BOB}", f"south,crm,1,{ADA}"]


def mapping(folder: Path, text: str = FLAT, name: str = "m.yaml") -> Mapping:
    path = folder / name
    path.write_text(text)
    return load_mapping(path)


def table(folder: Path, rows: list[str], name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def run(folder: Path, rows: list[str]) -> Resolved:
    return resolve_files([table(folder, rows)], [mapping(folder)], folder / "out.csv")


def output(folder: Path) -> list[list[str]]:
    return list(csv.reader((folder / "out.csv").read_text().splitlines()))


def grouping(folder: Path) -> set[frozenset[str]]:
    """The records of each customer."""
    groups = defaultdict(set)
    for realm, source, record_id, customer in output(folder)[1:]:
        groups[customer].add(f"{realm}/{source}/{record_id}")
    return {frozenset(group) for group in groups.values()}


def test_records_of_one_person_get_one_customer_within_their_realm(tmp_path: Path) -> None:
    result = run(tmp_path, ROWS)
    assert output(tmp_path)[0] == ["realm", "source", "record_id", "customer_id"]
    assert [row[:3] for row in output(tmp_path)[1:]] == [
        ["north", "crm", "1"],
        ["north", "crm", "2"],
        ["north", "web", "a/b"],
        ["south", "crm", "1"],
    ]
    assert grouping(tmp_path) == {
        frozenset({"north/crm/1", "north/web/a/b"}),
        frozenset({"north/crm/2"}),
        frozenset({"south/crm/1"}),
    }
    assert (result.rows, result.counts.records, result.counts.customers, result.rejected) == (4, 4, 3, {})


def test_the_newest_row_of_a_record_decides_over_files(tmp_path: Path) -> None:
    files = [table(tmp_path, ROWS), table(tmp_path, [f"north,web,a/b,{BOB}"], "later.csv")]
    result = resolve_files(files, [mapping(tmp_path)], tmp_path / "out.csv")
    assert frozenset({"north/crm/2", "north/web/a/b"}) in grouping(tmp_path)
    assert (result.rows, result.counts.records) == (5, 4)


def word(random: Random) -> str:
    return "".join(random.choices("abcdefghijklmnop", k=9))


def birthday(random: Random) -> str:
    return f"{random.randint(1940, 1999)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def test_batches_and_order_do_not_change_the_grouping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(1)
    people = [",".join((word(random), word(random), birthday(random), "", word(random))) for _ in range(12)]
    rows = [f"north,{source},{n},{person}" for source in ("crm", "web") for n, person in enumerate(people)]
    run(tmp_path, rows)
    whole = grouping(tmp_path)
    assert len(whole) == 12
    random.shuffle(rows)
    monkeypatch.setattr("streams.app.resolve.BATCH", 5)
    monkeypatch.setattr(offline, "BATCH", 3)
    run(tmp_path, rows)
    assert grouping(tmp_path) == whole


def test_the_same_files_give_the_same_output(tmp_path: Path) -> None:
    run(tmp_path, ROWS)
    before = output(tmp_path)
    run(tmp_path, ROWS)
    assert output(tmp_path) == before


def test_a_deleted_record_is_not_written(tmp_path: Path) -> None:
    text = FLAT.replace("record_id: id", "record_id: id\ndelete_when: {path: first, equals: gone}")
    files = [table(tmp_path, [*ROWS, "north,crm,1,gone,,,,"])]
    resolve_files(files, [mapping(tmp_path, text)], tmp_path / "out.csv")
    assert [row[:3] for row in output(tmp_path)[1:]] == [
        ["north", "crm", "2"],
        ["north", "web", "a/b"],
        ["south", "crm", "1"],
    ]


def test_csv_and_json_lines_with_a_mapping_each_meet_in_one_grouping(tmp_path: Path) -> None:
    lines = tmp_path / "bills.jsonl"
    lines.write_text(json.dumps({"nr": 7, "who": {"first": "Ada", "last": "Byron"}, "born": "1975-12-10", "id": "N1"}))
    bills = """
source: bills
format: json
realm: {constant: north}
record_id: nr
attributes:
  names: {given: who.first, family: who.last}
  birth_date: born
  identifications: {type: {constant: national_id}, issuer: {constant: GB}, value: id}
"""
    files = [table(tmp_path, ROWS), lines]
    resolve_files(files, [mapping(tmp_path), mapping(tmp_path, bills, "b.yaml")], tmp_path / "out.csv")
    assert frozenset({"north/crm/1", "north/web/a/b", "north/bills/7"}) in grouping(tmp_path)


def test_bad_rows_are_counted_and_named_without_their_values(tmp_path: Path) -> None:
    bad = ["north,crm,3,Eve,Marlowe,1999-02-31,,", "north,crm,,Eve,Marlowe,,,", "north,crm,4"]
    rejects = tmp_path / "rejects.csv"
    file = table(tmp_path, [*ROWS, *bad])
    result = resolve_files([file], [mapping(tmp_path)], tmp_path / "out.csv", rejects=rejects)
    assert (result.rows, result.counts.records) == (7, 4)
    assert result.rejected == {"bad-date": 1, "malformed-csv": 1, "missing-record-id": 1}
    assert [(reject.line, reject.reason) for reject in result.rejects] == [
        (6, "bad-date"),
        (7, "missing-record-id"),
        (8, "malformed-csv"),
    ]
    assert [Reject(row[0], int(row[1]), *row[2:]) for row in list(csv.reader(rejects.read_text().splitlines()))[1:]] == [
        *result.rejects
    ]
    assert "Eve" not in rejects.read_text()
    assert "02-31" not in rejects.read_text()


def test_rows_of_which_none_can_be_mapped_fail_the_work_and_write_no_output(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    files = [table(tmp_path, ["no_realm!,crm,1,,,,,", "no_realm!,crm,2,,,,,"])]
    with pytest.raises(WorkError, match=r"not one of 2 rows could be mapped\. .*rows\.csv:2: unknown-realm"):
        resolve_files(files, [mapping(tmp_path)], tmp_path / "out.csv", rejects=rejects)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.yaml", "rejects.csv", "rows.csv"]
    assert len(rejects.read_text().splitlines()) == 3


def test_files_without_rows_fail_the_work(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="there are no records in the files"):
        run(tmp_path, [])


def test_a_record_that_a_processor_cannot_take_is_counted_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Records.process

    def poisoned(self: Records, message: Message, store: Store, out: Outbox) -> None:
        if message.key == b"north/crm/2":
            raise ValueError("Robert Fox")
        process(self, message, store, out)

    monkeypatch.setattr(Records, "process", poisoned)
    result = run(tmp_path, ROWS)
    assert (result.rejected, result.counts.records, len(output(tmp_path))) == ({"processor-error": 1}, 3, 4)


@pytest.mark.parametrize(
    ("files", "out", "said"),
    [
        (["none.csv"], "out.csv", "none.csv is not there"),
        (["."], "out.csv", "is a folder"),
        (["rows.csv"], "none/out.csv", "cannot be written: name a file in a folder that exists"),
        (["rows.csv"], "rows.csv", "is one of the files to read"),
    ],
)
def test_wrong_use_is_said_before_any_work(tmp_path: Path, files: list[str], out: str, said: str) -> None:
    table(tmp_path, ROWS)
    with pytest.raises(UsageError, match=said):
        resolve_files([tmp_path / file for file in files], [mapping(tmp_path)], tmp_path / out)


def test_the_command_writes_over_no_file_that_it_reads(tmp_path: Path) -> None:
    file, truth, other = table(tmp_path, ROWS), tmp_path / "truth.csv", tmp_path / "out.csv"
    mapping(tmp_path)
    (tmp_path / "folder").mkdir()
    truth.write_text("source,record_id,cluster\nweb,a/b,x\n")
    named = [file, tmp_path / "m.yaml", truth]
    before = [path.read_text() for path in named]
    for path in [*named, tmp_path / "folder" / ".." / "m.yaml"]:
        for out, rejects in ((path, None), (other, path)):
            with pytest.raises(UsageError, match="is one of the files to read"):
                command([file], [tmp_path / "m.yaml"], out, truth, rejects, as_json=True)
    assert [path.read_text() for path in named] == before


def test_customers_and_rejects_cannot_be_one_file_by_two_names(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    out, rejects = tmp_path / "out.csv", tmp_path / "folder" / ".." / "out.csv"
    with pytest.raises(UsageError, match="customers and rejects need a file each"):
        resolve_files([table(tmp_path, ROWS)], [mapping(tmp_path)], out, rejects=rejects)


def test_an_output_that_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    (tmp_path / "real.csv").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, target in (("link", "real.csv"), ("to-pipe", "pipe"), ("nowhere", "none.csv"), ("loop", "loop")):
        (tmp_path / name).symlink_to(target)
    for name, said in (
        ("pipe", "a pipe"),
        ("to-pipe", "a pipe"),
        ("link", "real.csv"),
        ("nowhere", "none"),
        ("loop", "link"),
    ):
        with pytest.raises(UsageError, match=said):
            resolve_files([table(tmp_path, ROWS)], [mapping(tmp_path)], tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    assert all((tmp_path / name).is_symlink() for name in ("link", "to-pipe", "nowhere", "loop"))


def test_a_mapping_of_avro_and_a_file_without_header_are_wrong_use(tmp_path: Path) -> None:
    file = table(tmp_path, ROWS)
    with pytest.raises(UsageError, match="files are csv, json or debezium, not avro"):
        resolve_files([file], [mapping(tmp_path, FLAT.replace("csv", "avro"))], tmp_path / "out.csv")
    file.write_text("1,2,3\n4,5,6\n")
    with pytest.raises(UsageError, match=r"rows\.csv:1: it has none of the columns"):
        resolve_files([file], [mapping(tmp_path)], tmp_path / "out.csv")


def test_progress_reaches_the_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.app.resolve.BATCH", 2)
    told: list[tuple[str, int, int]] = []
    resolve_files(
        [table(tmp_path, ROWS, f"{n}.csv") for n in range(3)],
        [mapping(tmp_path)],
        tmp_path / "out.csv",
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    assert [done for _, done, _ in told] == [2, 4, 6, 8, 10, 12, 12]
    assert told[-1] == ("resolve", 12, 12)
    assert all(done <= total <= 12 for _, done, total in told)


def test_a_truth_is_compared_with(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("realm,source,record_id,cluster\nnorth,crm,1,a\nnorth,web,a/b,a\nsouth,crm,1,a\nnorth,old,1,b\n")
    result = resolve_files([table(tmp_path, ROWS)], [mapping(tmp_path)], tmp_path / "out.csv", truth=read_truth(truth))
    assert result.verdict is not None
    quality, unlisted = result.verdict
    assert (quality.precision, quality.recall, quality.missing, unlisted) == (1.0, 1 / 3, 1, 1)


def test_the_command_prints_one_object_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, truth = table(tmp_path, [*ROWS, "north,crm"]), tmp_path / "truth.csv"
    mapping(tmp_path)
    truth.write_text("source,record_id,cluster\nweb,a/b,x\n")
    command([file], [tmp_path / "m.yaml"], tmp_path / "out.csv", truth, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert {
        key: said[key] for key in ("rows", "records", "customers", "rejected", "precision", "recall", "f1", "unlisted")
    } == {
        "rows": 5,
        "records": 4,
        "customers": 3,
        "rejected": {"malformed-csv": 1},
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "unlisted": 3,
    }
    assert said["rejects"][0]["line"] == 6


def test_the_command_prints_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table(tmp_path, [*ROWS, *["north,crm"] * 12])
    mapping(tmp_path)
    command([file], [tmp_path / "m.yaml"], tmp_path / "out.csv", None, as_json=False)
    said = capsys.readouterr().out
    assert "rows.csv:6: malformed-csv: 2 cells, and the header has 8" in said
    assert "and 2 more: --rejects FILE writes them all" in said
    assert "precision" not in said


def test_the_output_goes_to_standard_output_and_what_people_read_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping(tmp_path)
    command([table(tmp_path, ROWS)], [tmp_path / "m.yaml"], Path("-"), None, as_json=False)
    told = capsys.readouterr()
    assert [row[:3] for row in csv.reader(told.out.splitlines())][:2] == [
        ["realm", "source", "record_id"],
        ["north", "crm", "1"],
    ]
    assert len(told.out.splitlines()) == 1 + len(ROWS)
    assert "customers" in told.err
    assert not Path("-").exists()


def test_standard_output_gets_nothing_of_work_that_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping(tmp_path)
    with pytest.raises(WorkError):
        command([table(tmp_path, [])], [tmp_path / "m.yaml"], Path("-"), None, as_json=False)
    assert capsys.readouterr().out == ""


def test_standard_output_is_for_the_output_or_for_programs_and_not_both(tmp_path: Path) -> None:
    mapping(tmp_path)
    with pytest.raises(UsageError, match="name a file"):
        command([table(tmp_path, ROWS)], [tmp_path / "m.yaml"], Path("-"), None, as_json=True)


def test_rows_that_leave_no_record_fail_the_work(tmp_path: Path) -> None:
    text = FLAT + "delete_when: {path: first, equals: gone}\n"
    with pytest.raises(WorkError, match="no record comes of the 1 rows"):
        resolve_files([table(tmp_path, ["north,crm,1,gone,,,,"])], [mapping(tmp_path, text)], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("escape", "written"), [(True, "'=cmd|x!A1"), (False, "=cmd|x!A1")])
def test_a_record_id_that_a_spreadsheet_would_run_is_text_unless_asked_otherwise(
    tmp_path: Path, escape: bool, written: str
) -> None:
    rows = [f"north,crm,=cmd|x!A1,{ADA}", f"north,crm,+49 30 1234,{BOB}"]
    resolve_files([table(tmp_path, rows)], [mapping(tmp_path)], tmp_path / "out.csv", escape=escape)
    assert [row[2] for row in output(tmp_path)[1:]] == ["+49 30 1234", written]


def test_a_file_of_rejects_is_safe_in_a_spreadsheet_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path, ["north,crm,,,,,,", *ROWS], name="=x.csv")
    monkeypatch.chdir(tmp_path)
    resolve_files([Path("=x.csv")], [mapping(tmp_path)], Path("out.csv"), rejects=Path("rejects.csv"))
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1].startswith("'=x.csv,2,missing-record-id,")


def test_what_generate_wrote_is_read_with_the_mapping_of_its_source(tmp_path: Path) -> None:
    write_folder(20, 7, tmp_path / "events", lambda done: None)
    topics = sorted(SOURCES.items())
    files = [tmp_path / "events" / f"{topic}.jsonl" for _, topic in topics]
    mappings = [load_mapping(shipped_mapping(source)) for source, _ in topics]
    found = resolve_files(files, mappings, tmp_path / "out.csv", truth=read_truth(tmp_path / "events" / "truth.csv"))
    assert found.verdict is not None
    assert found.verdict.unlisted == 0
    assert found.verdict.quality.missing <= sum(found.rejected.values())
    assert found.verdict.quality.f1 > 0.9
    assert {source for _, source, _, _ in output(tmp_path)[1:]} == set(SOURCES)
