"""What the doctor makes of what it was told; tests/kafka/test_doctor.py asks real parts."""

from __future__ import annotations

import os
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest

from connectors.logs.groups import Group, Member, Position
from connectors.logs.topics import DELETE_RETENTION_MS
from connectors.mappings import shipped_mapping
from streams.app.config import Configuration
from streams.app.doctor import brokers, groups, stores
from streams.app.doctor.local import check_data, check_secret
from streams.app.doctor.report import Status
from streams.app.doctor.stores import check_stores
from streams.app.wiring import Deployment
from streams.engine.store import Sync
from tables.rocks import RocksStore, StoreOptions

NOW = 1_700_000_000_000
RUNNING = Group("STABLE", (Member("a", "x"), Member("b", "x")))
NOBODY = Group("EMPTY", ())
FIT = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.max.timeout.ms": "900000",
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "1800000",
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "10000",
    "group.consumer.heartbeat.interval.ms": "3000",
    "auto.create.topics.enable": "false",
}


def configuration(tmp_path: Path, **more: str) -> Configuration:
    path = tmp_path / "singleview.yaml"
    path.write_text(f"realms: {{north: 0}}\nsources: [{shipped_mapping('crm')}]\n")
    return Configuration.load(path)


# -- brokers --


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_nothing_is_wrong_with_a_broker_as_documented(protocol: str) -> None:
    assert list(brokers.judge(1, FIT, protocol)) == []


@pytest.mark.parametrize(
    ("setting", "value", "protocol", "status", "wanted"),
    [
        ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000", "classic", Status.WARNING, "1000"),
        ("transaction.max.timeout.ms", "5000", "classic", Status.ERROR, "10000"),
        ("group.min.session.timeout.ms", "30000", "classic", Status.ERROR, "10000"),
        ("group.consumer.min.session.timeout.ms", "45000", "consumer", Status.WARNING, "10000"),
        ("group.consumer.session.timeout.ms", "45000", "consumer", Status.WARNING, "10000"),
        ("auto.create.topics.enable", "true", "classic", Status.WARNING, "false"),
    ],
)
def test_a_broker_setting_that_does_not_fit_comes_with_its_value_and_the_fix(
    setting: str, value: str, protocol: str, status: Status, wanted: str
) -> None:
    (found,) = brokers.judge(1, {**FIT, setting: value}, protocol)
    assert (found.status, found.found) == (status, f"{setting}={value}")
    assert f"{setting}={wanted}" in found.fix


def test_settings_of_the_other_group_protocol_do_not_matter() -> None:
    assert list(brokers.judge(1, {**FIT, "group.consumer.session.timeout.ms": "45000"}, "classic")) == []
    assert list(brokers.judge(1, {**FIT, "group.min.session.timeout.ms": "30000"}, "consumer")) == []


# -- groups --


def test_messages_that_nobody_reads_and_a_lag_that_grows_are_told_and_a_group_at_work_is_not() -> None:
    before = [Position("in", 0, 5, 0, 10), Position("in", 1, 7, 0, 9)]
    at_work = [Position("in", 0, 8, 0, 12), Position("in", 1, 9, 0, 9)]
    assert list(groups.judge_reading("a.records", before, at_work)) == []
    (stuck,) = groups.judge_reading("a.records", before, [at_work[0], before[1]])
    assert (stuck.status, stuck.found) == (Status.WARNING, "messages wait in in/1, and none was read for 3 s")
    (grows,) = groups.judge_reading("a.records", before, [Position("in", 0, 8, 0, 5_000), at_work[1]])
    assert grows.found == "4,985 offsets more behind after 3 s"


def test_a_group_that_runs_is_fine_and_its_lag_is_the_sum_of_its_partitions() -> None:
    found = [Position("records", 0, 5, 0, 8), Position("records", 1, 90, 90, 1_090)]
    (check,) = groups.judge("records", "sv.records", found, RUNNING)
    assert check.status is Status.OK
    assert "2 members" in check.found
    assert "1,003 offsets behind" in check.found


def test_a_partition_without_first_offset_is_an_error_but_not_of_a_source() -> None:
    found = [Position("records", 0, 5, 0, 8), Position("records", 1, None, 0, 3)]
    error, _ = groups.judge("records", "sv.records", found, RUNNING)
    assert (error.status, error.found) == (Status.ERROR, "no first offset in records/1")
    assert "singleview init" in error.fix
    (fine,) = groups.judge("intake", "sv.intake", found, RUNNING)
    assert fine.status is Status.OK
    assert "6 offsets behind" in fine.found


@pytest.mark.parametrize("committed", [9, 21])
def test_a_committed_offset_that_is_not_in_the_topic_any_more_is_an_error(committed: int) -> None:
    error, _ = groups.judge("records", "sv.records", [Position("records", 3, committed, 10, 20)], RUNNING)
    what = f"records/3 was read to {committed}, but is there from 10 to 20: it is not read"
    assert (error.status, error.found, error.fix) == (Status.ERROR, what, "singleview init --skip-lost records")


@pytest.mark.parametrize("committed", [10, 20])
def test_a_committed_offset_at_either_end_of_the_topic_is_fine(committed: int) -> None:
    (check,) = groups.judge("records", "sv.records", [Position("records", 3, committed, 10, 20)], RUNNING)
    assert check.status is Status.OK


def test_a_group_nobody_runs_is_a_warning_with_the_command() -> None:
    (check,) = groups.judge("records", "sv.records", [Position("records", 0, 5, 0, 8)], NOBODY)
    assert check.status is Status.WARNING
    assert check.fix == "start it: `singleview run records`"


# -- stores --


@pytest.mark.parametrize(
    ("sync", "status", "words"),
    [
        (Sync("id", 7, NOW - 90_000), Status.OK, "at offset 7, in touch 2 min ago"),
        (None, Status.OK, "nothing on disk yet"),
        (Sync("another", 7, NOW), Status.WARNING, "of a table topic that is gone"),
        (Sync("id", 7, NOW - DELETE_RETENTION_MS // 2 - 1), Status.WARNING, "older than the topic keeps deletions"),
        (Sync("id", 7, NOW - DELETE_RETENTION_MS // 2), Status.OK, "3.5 days ago"),
    ],
)
def test_a_store_is_fit_if_it_is_of_todays_topic_and_young(sync: Sync | None, status: Status, words: str) -> None:
    found = stores.judge("host/records/0", sync, 3 << 20, "id", NOW)
    assert found.status is status
    assert "3.0 MiB" in found.found
    assert words in found.found
    assert bool(found.fix) == (status is not Status.OK)


def test_a_store_is_not_blamed_for_a_broker_that_was_not_asked() -> None:
    assert stores.judge("host/records/0", Sync("any", 7, NOW), 0, None, NOW).status is Status.OK


def test_stores_on_disk_are_opened_without_disturbing_whoever_uses_them(tmp_path: Path) -> None:
    deployment = Deployment(configuration(tmp_path))
    folder = deployment.configuration.data_folder / "host-0" / "records" / "2"
    options = StoreOptions.bounded(1 << 20)
    store = RocksStore(folder, options)
    store.apply({b"k": b"v"}, Sync("id", 42, int(time.time() * 1000)))
    store.close()
    running = RocksStore(folder, options)
    (found,) = check_stores(deployment, on_kafka=False)
    running.close()
    assert (found.status, found.what) == (Status.OK, "host-0/records/2")
    assert "at offset 42" in found.found


def test_a_store_that_cannot_be_opened_is_an_error_that_names_its_folder(tmp_path: Path) -> None:
    deployment = Deployment(configuration(tmp_path))
    folder = deployment.configuration.data_folder / "host-0" / "records" / "2"
    folder.mkdir(parents=True)
    (folder / "CURRENT").write_text("MANIFEST-000099\n")
    (found,) = check_stores(deployment, on_kafka=False)
    assert found.status is Status.ERROR
    assert str(folder) in found.fix


def test_a_machine_without_stores_is_fine(tmp_path: Path) -> None:
    (found,) = check_stores(Deployment(configuration(tmp_path)), on_kafka=False)
    assert (found.status, found.found) == (Status.OK, "none on this machine")


# -- this machine --


def test_a_missing_secret_is_an_error_that_says_which_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SINGLEVIEW_SECRET", raising=False)
    found = check_secret(configuration(tmp_path))
    assert found.status is Status.ERROR
    assert "SINGLEVIEW_SECRET" in found.fix
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a long enough secret")
    assert "a long enough secret" not in str(check_secret(configuration(tmp_path)))
    assert check_secret(configuration(tmp_path)).status is Status.OK


Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(
    ("free", "status"),
    [(100 << 30, Status.OK), (9 << 30, Status.WARNING), (1 << 30, Status.WARNING), (100 << 20, Status.ERROR)],
)
def test_little_space_is_told_before_there_is_none(
    free: int, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 << 30, 0, free))
    (found,) = check_data(configuration(tmp_path))
    assert found.status is status


def test_a_data_folder_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (found,) = check_data(configuration(tmp_path))
    assert (found.status, found.found) == (Status.ERROR, f"{tmp_path} cannot be written")


def test_what_waits_in_passing_is_fine_and_what_lasts_comes_with_the_fix() -> None:
    passing = stores.waits("a/customers/0", "customers not settled", 5, 0)
    assert (passing.status, passing.fix) == (Status.OK, "")
    lasting = stores.waits("a/customers/0", "customers not settled", 5, 2)
    assert lasting.status is Status.WARNING
    assert "5 customers not settled, 2 of them for more than 90 s" in lasting.found
    assert "singleview settle" in lasting.fix
