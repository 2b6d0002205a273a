"""Whatever a released version wrote is read by this one, with nothing of it lost; and its data folder goes on."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest

from connectors.logs.embedded import EmbeddedLog
from schemas import messages
from schemas.messages import Codec
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW, CUSTOMERS, IDENTITY, RECORDS, subscriber_topic
from streams.app.config import SECRET_VARIABLE, Configuration
from streams.app.embedded import LOG_FILE, Pipeline
from streams.app.wiring import Deployment
from streams.customers.rows import CUSTOMER_ROW, MEMBER_ROW
from streams.engine.outbox import Outgoing
from streams.identity.rows import CUSTOMER, EVIDENCE, POSTING, REALM, RECORD
from streams.records import RECORD_ROWS, TALLIES, TALLY_KEY
from tests.e2e.views import View, comparable, latest_views
from tests.golden.recorded import RELEASES, SECRET, Recorded, recorded, unpack

INBOXES: Mapping[str, Codec[Any]] = {RECORDS: messages.RECORDS, IDENTITY: messages.IDENTITY, CUSTOMERS: messages.CUSTOMERS}
IDENTITY_ROWS: Mapping[bytes, Codec[Any]] = {
    b"R": REALM,
    b"r": RECORD,
    b"f": EVIDENCE,
    b"p": POSTING,
    b"c": CUSTOMER,
}
BARE_IDENTITY_ROWS = {b"o", b"m", b"a"}
"""Their values are names, without a codec."""

MESSAGES_OF_0_1_0 = {
    RECORDS: {"change", "membership"},
    IDENTITY: {"identity", "regroup"},
    CUSTOMERS: {"attached", "updated", "detached", "entity", "due"},
}
ROWS_OF_0_1_0 = {
    "records-table": {"r", "tally"},
    "identity-table": {"R", "r", "f", "p", "o", "c", "m", "a"},
    "customers-table": {"c", "m"},
}

pytestmark = pytest.mark.parametrize("release", RELEASES)


@cache
def written(release: str) -> dict[str, list[Recorded]]:
    """By topic."""
    by_topic: dict[str, list[Recorded]] = {}
    for message in recorded(release):
        by_topic.setdefault(message.topic, []).append(message)
    return by_topic


def row_kind(topic: str, key: bytes) -> str:
    match topic:
        case "records-table":
            return "tally" if key == TALLY_KEY else "r"
        case "identity-table":
            return key.split(b"/")[1].decode()
        case _:
            return key.split(b"/")[1].decode()


def row_codec(topic: str, key: bytes) -> Codec[Any] | None:
    kind = row_kind(topic, key)
    match topic:
        case "records-table":
            return TALLIES if kind == "tally" else RECORD_ROWS
        case "identity-table":
            return None if kind.encode() in BARE_IDENTITY_ROWS else IDENTITY_ROWS[kind.encode()]
        case _:
            return CUSTOMER_ROW if kind == "c" else MEMBER_ROW


def lacks(before: Any, after: Any, where: str = "") -> str:
    """Where something of `before` is not in `after`, which may have more; empty if nowhere."""
    if isinstance(before, dict) and isinstance(after, dict):
        gone = [key for key in before if key not in after]
        return (
            f"{where}/{gone[0]}"
            if gone
            else next(filter(None, (lacks(before[k], after[k], f"{where}/{k}") for k in before)), "")
        )
    if isinstance(before, list) and isinstance(after, list):
        if len(after) < len(before):
            return f"{where}[{len(after)}]"
        return next(
            filter(None, (lacks(b, a, f"{where}[{n}]") for n, (b, a) in enumerate(zip(before, after, strict=False)))), ""
        )
    return "" if before == after else where or "(all)"


def lost_by(codec: Codec[Any], data: bytes) -> str:
    """What of the bytes does not survive being read and written again."""
    again = codec.encode(codec.decode(data))
    return lacks(msgspec.msgpack.decode(data[1:]), msgspec.msgpack.decode(again[1:]))


def test_the_recorded_bytes_are_of_every_kind_of_message_and_row(release: str) -> None:
    kinds = {
        topic: {msgspec.msgpack.decode(m.value[1:])["t"] for m in written(release)[topic] if m.value} for topic in INBOXES
    }
    rows = {topic: {row_kind(topic, row.key or b"") for row in written(release)[topic]} for topic in ROWS_OF_0_1_0}

    assert all(kinds[topic] >= expected for topic, expected in MESSAGES_OF_0_1_0.items())
    assert all(rows[topic] >= expected for topic, expected in ROWS_OF_0_1_0.items())


@pytest.mark.parametrize("topic", INBOXES)
def test_a_message_between_processors_is_read_with_nothing_of_it_lost(topic: str, release: str) -> None:
    lost = Counter(lost_by(INBOXES[topic], message.value) for message in written(release)[topic] if message.value)

    assert set(lost) == {""}, lost


@pytest.mark.parametrize("topic", ROWS_OF_0_1_0)
def test_a_row_is_read_with_nothing_of_it_lost(topic: str, release: str) -> None:
    lost: Counter[str] = Counter()
    for row in written(release)[topic]:
        codec = row_codec(topic, row.key or b"")
        if row.value is not None and codec is not None:
            lost[lost_by(codec, row.value)] += 1

    assert set(lost) == {""}, lost


def test_views_and_changes_are_read_as_an_independent_reader_reads_them(release: str, tmp_path: Path) -> None:
    unpack(release, tmp_path)
    log = EmbeddedLog(tmp_path / "data" / LOG_FILE)
    registry = log.registry()
    codec = PublicCodec(registry)
    topics: Mapping[str, Callable[[bytes], Any]] = {
        CUSTOMER_VIEW: codec.decode_view,
        CUSTOMER_CHANGES: codec.decode_change,
        subscriber_topic("warehouse"): codec.decode_change,
        subscriber_topic("mdm"): codec.decode_change,
    }
    for topic, decode in topics.items():
        values = [message.value for message in written(release)[topic] if message.value]
        assert values
        for value in values:
            schema = fastavro.parse_schema(json.loads(registry.schema(int.from_bytes(value[1:5], "big"))))
            independent = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            assert _digest(msgspec.to_builtins(decode(value))) == _digest(independent), topic
    log.close()


def _digest(read: Any) -> tuple[str, int, int]:
    """What identifies a view or a change, and how much there is in it."""
    return read["customer_id"], read["version"], len(read.get("members") or read.get("causes") or [])


def test_a_data_folder_of_the_release_goes_on_and_ends_as_a_new_one_would(
    release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    upgraded, fresh = tmp_path / "upgraded", tmp_path / "fresh"
    upgraded.mkdir()
    fresh.mkdir()

    deployment = Deployment(Configuration.load(unpack(release, upgraded)))
    with Pipeline(deployment) as pipeline:
        sources = {topic: list(pipeline.log.messages(topic)) for topic in deployment.source_topics}
        published = {message.key for message in pipeline.log.messages(CUSTOMER_VIEW)}
        waiting = {name: pipeline.log.lag(name, deployment.inbox(name)) for name in pipeline.workers}
        _finish(pipeline)
        after = comparable(latest_views(pipeline.log))
        known = {message.key for message in pipeline.log.messages(CUSTOMER_VIEW)}
        letters = sum(1 for _ in pipeline.log.messages("dead-letters"))
        schemas = _schemas(pipeline.log)

    stateful = ("intake", "records", "identity", "customers")
    assert all(waiting[name] for name in stateful), "the release stopped in the middle of its work"
    assert published <= known, "an id that was published stays known"
    anew, letters_anew = _run(fresh, release, sources, schemas)
    assert after == anew
    assert letters == letters_anew


def _finish(pipeline: Pipeline) -> None:
    for _ in pipeline.run():
        pass


def _schemas(log: EmbeddedLog) -> list[tuple[str, str]]:
    """Subjects and schemas of the log's registry, in the order of their ids, which the source events name."""
    return list(log._db.execute("SELECT subject, schema FROM schemas ORDER BY id"))


def _run(
    folder: Path, release: str, sources: Mapping[str, list[Any]], schemas: list[tuple[str, str]]
) -> tuple[dict[frozenset[str], View], int]:
    """The views of this version over the same source events, and the number of dead letters."""
    path = unpack(release, folder)
    (folder / "data" / LOG_FILE).unlink()
    for store in sorted((folder / "data").rglob("*"), reverse=True):
        store.unlink() if store.is_file() else store.rmdir()
    log = EmbeddedLog(folder / "data" / LOG_FILE)
    for subject, schema in schemas:
        log.registry().register(subject, schema)
    log.close()
    with Pipeline(Deployment(Configuration.load(path))) as pipeline:
        pipeline.log.begin()
        for topic, found in sources.items():
            pipeline.log.append((Outgoing(topic, m.key, m.value, m.headers), m.timestamp) for m in found)
        pipeline.log.commit()
        _finish(pipeline)
        return comparable(latest_views(pipeline.log)), sum(1 for _ in pipeline.log.messages("dead-letters"))
