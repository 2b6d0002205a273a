"""Every property of the installed librdkafka has been judged."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import cimpl

from connectors.logs.kafka_client import CLASSIC_DEFAULTS, CONSUMER_DEFAULTS, MEMBER_DEFAULTS, PRODUCER_DEFAULTS
from connectors.logs.kafka_settings import BOUNDS, FREE, REFUSED, SET_BY_US, contradiction, objection

DOCUMENTED = (Path(__file__).parents[4] / "docs" / "deployment.md").read_text()


def properties(tmp_path: Path) -> Iterator[str]:
    """The names, as the library lists them for its documentation."""
    beside = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(beside.glob("librdkafka*"), Path(cimpl.__file__))))
    c = ctypes.CDLL(None)
    c.fopen.restype = ctypes.c_void_p
    written = tmp_path / "properties"
    file = ctypes.c_void_p(c.fopen(str(written).encode(), b"w"))
    library.rd_kafka_conf_properties_show(file)
    c.fclose(file)
    for line in written.read_text().splitlines():
        name = line.partition("|")[0].strip()
        if re.fullmatch(r"[a-z][a-z_.]+", name):
            yield name


def test_every_property_of_the_installed_client_is_ours_refused_bounded_or_free(tmp_path: Path) -> None:
    known = set(properties(tmp_path))
    judged = [*SET_BY_US, *REFUSED, *BOUNDS, *FREE]
    assert len(known) > 150
    assert sorted(known - set(judged)) == []
    assert sorted(set(judged) - known) == []
    assert len(judged) == len(set(judged))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("partitioner", "random", "partitioner is set by singleview: remove it"),
        ("acks", "1", "acks is set by singleview: remove it"),
        ("enable.idempotence", "false", "enable.idempotence is set by singleview: remove it"),
        ("partition.assignment.strategy", "range", "partition.assignment.strategy is set by singleview: remove it"),
        ("enable.auto.offset.store", "true", "enable.auto.offset.store is set by singleview: remove it"),
        ("message.send.max.retries", "0", "message.send.max.retries is set by singleview: remove it"),
        ("metadata.broker.list", "b:9092", "metadata.broker.list is another name of bootstrap.servers: write that"),
        ("dr_cb", "x", "dr_cb cannot be given as text"),
        (
            "max.poll.interval.ms",
            "5000",
            "max.poll.interval.ms must be from 30000 to 600000: a transaction may take 10 s, and is then waited for",
        ),
        ("session.timeout.ms", "soon", "session.timeout.ms must be a whole number"),
        (
            "sasl.pasword",
            "hush",
            "sasl.pasword is no setting that singleview knows of (did you mean sasl.password?)",
        ),
        ("compression.type", "zstd", ""),
        ("max.poll.interval.ms", "30000", ""),
        ("bootstrap.servers", "b:9092", ""),
    ],
)
def test_a_setting_that_breaks_the_engine_is_refused_with_the_reason(name: str, value: str, said: str) -> None:
    assert objection(name, value) == said


def test_settings_that_contradict_each_other_are_refused() -> None:
    assert contradiction({}) == ""
    assert "a third of session.timeout.ms (6000)" in contradiction({"session.timeout.ms": "6000"})
    assert contradiction({"session.timeout.ms": "6000", "heartbeat.interval.ms": "2000"}) == ""
    late = {"session.timeout.ms": "60000", "max.poll.interval.ms": "30000"}
    assert contradiction(late) == "session.timeout.ms (60000) must be at most max.poll.interval.ms (30000)"


def test_what_singleview_sets_by_default_would_be_taken_from_the_configuration_too_or_is_its_own() -> None:
    ours = {**CONSUMER_DEFAULTS, **MEMBER_DEFAULTS, **CLASSIC_DEFAULTS, **PRODUCER_DEFAULTS}
    wrong = {name: said for name, value in ours.items() if name not in SET_BY_US and (said := objection(name, str(value)))}
    assert wrong == {}


def test_the_bounds_and_what_is_refused_are_documented() -> None:
    for name, bounds in BOUNDS.items():
        row = f"| `{name}` | {bounds.least:,} to {bounds.most:,} | {bounds.why} |"
        assert row in DOCUMENTED
    assert [name for name in [*SET_BY_US, *REFUSED] if f"`{name}`" not in DOCUMENTED] == []
