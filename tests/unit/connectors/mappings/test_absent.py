"""What an absent path means: empty, or gone from the topic."""

from __future__ import annotations

import json
import logging

import pytest
from msgspec import UNSET

from connectors.mappings import SourceReader
from connectors.mappings.absent import PATIENCE, SPAN
from schemas.documents import DocumentError
from schemas.messages import SourceChange
from streams.engine.contract import Message, RejectedError
from tests.unit.connectors.mappings import support
from tests.unit.connectors.mappings.support import HEAD, DictRegistry, avro, mapping

TEXT = "names: {given: first, family: last}\nemails: {value: email}\ncharacteristics: {tier: tier}"
FULL: dict[str, object] = {"first": "Ada", "last": "Byron", "email": "a@b.example", "tier": "gold"}
DEBEZIUM = "source: test\nformat: debezium\nrealm: {constant: north}\nrecord_id: id\n"


class Topic:
    """Events of one partition, read one after the other."""

    def __init__(self, head: str = HEAD, text: str = TEXT) -> None:
        self.reader = SourceReader(mapping(text, head), DictRegistry())
        self.offset = 0
        self._debezium = "debezium" in head

    def read(self, event: dict[str, object], offset: int | None = None, partition: int = 0) -> SourceChange:
        self.offset = self.offset + 1 if offset is None else offset
        whole = {"id": "1", "n": self.offset} | event
        if self._debezium:
            source = {"lsn": self.offset, "connector": "postgresql"}
            whole = {"op": "u", "before": None, "after": whole, "source": source}
        message = Message("t", partition, self.offset, None, json.dumps(whole).encode(), (), 0)
        reading = self.reader.read(message)
        (change,) = reading.changes
        self.empty = reading.empty
        return change

    def without(self, *keys: str, **more: object) -> SourceChange:
        return self.read({key: value for key, value in FULL.items() if key not in keys}, **more)  # type: ignore[arg-type]

    @property
    def absent(self) -> set[str]:
        return {path for _, path in self.reader.absent}


def test_an_absent_key_empties_its_attribute_where_events_of_the_topic_have_it() -> None:
    topic = Topic()
    topic.read(FULL)
    change = topic.without("email", "tier")
    assert (change.operation, change.attributes.emails, change.attributes.characteristics) == (
        "snapshot",
        None,
        {"tier": None},
    )
    assert topic.absent == set()


def test_before_any_event_had_a_path_its_attribute_stays_as_it_was() -> None:
    topic = Topic()
    change = topic.without("email", "tier")
    assert change.operation == "patch"
    assert set(support.named(change.attributes)) == {"names"}
    assert topic.absent == {"email", "tier"}
    topic.read(FULL)
    assert topic.absent == set()
    assert topic.without("email").attributes.emails is None


def test_a_path_that_no_event_had_lately_is_gone() -> None:
    topic = Topic()
    topic.read(FULL)
    assert topic.without("email", offset=2 * SPAN - 1).attributes.emails is None, "the span before still counts"
    change = topic.without("email", offset=3 * SPAN)
    assert change.operation == "patch"
    assert "emails" not in support.named(change.attributes)
    assert topic.absent == {"email"}


def test_what_is_there_of_an_attribute_is_written_where_a_source_leaves_keys_out() -> None:
    topic = Topic()
    change = topic.without("last")
    assert change.operation == "snapshot"
    assert [name.given for name in change.attributes.names or ()] == ["Ada"]


def test_a_null_is_empty_whatever_events_had() -> None:
    assert Topic().read(FULL | {"email": None}).attributes.emails is None


def test_the_same_events_read_again_after_their_batch_was_undone_bring_the_same() -> None:
    topic = Topic()

    def batch() -> list[SourceChange]:
        first = Message("t", 0, SPAN - 2, None, None, (), 0)
        topic.reader.begin(first)
        events = [("email",), (), ("email",), ("email", "tier"), ("tier",), ()]
        return [topic.without(*keys, offset=SPAN - 2 + number * 3_000) for number, keys in enumerate(events)]

    once = batch()
    assert [change.operation for change in once[:3]] == ["patch", "snapshot", "snapshot"]
    assert batch() == once
    assert batch() == once


def test_partitions_are_looked_at_one_by_one() -> None:
    topic = Topic()
    topic.read(FULL, partition=0)
    assert topic.without("email", partition=1).operation == "patch"


def test_old_spans_are_forgotten_once_they_are_committed() -> None:
    topic = Topic()
    topic.read(FULL)
    topic.reader.begin(Message("t", 0, SPAN + 1, None, None, (), 0))
    assert topic.without("email", offset=SPAN + 1).operation == "snapshot"
    topic.reader.begin(Message("t", 0, 2 * SPAN, None, None, (), 0))
    assert topic.without("email", offset=SPAN + 1).operation == "patch"


# -- rows whose source writes every column --


def test_a_column_that_a_database_renamed_empties_nothing() -> None:
    topic = Topic(DEBEZIUM)
    topic.read(FULL)
    change = topic.without("email")
    assert change.operation == "patch"
    assert "emails" not in support.named(change.attributes)
    assert topic.absent == {"email"}


def test_a_renamed_column_does_not_halve_what_is_read_from_several() -> None:
    topic = Topic(DEBEZIUM)
    topic.read(FULL)
    change = topic.without("last")
    assert "names" not in support.named(change.attributes)
    assert topic.absent == {"last"}


def test_a_column_there_never_was_does_not_keep_the_others_from_being_written() -> None:
    topic = Topic(DEBEZIUM, "names: {given: first, middle: no_such_column}")
    change = topic.read(FULL)
    assert [name.given for name in change.attributes.names or ()] == ["Ada"]


def test_another_record_type_of_an_avro_topic_empties_nothing() -> None:
    fields = ",".join(f'{{"name":"{name}","type":"{"int" if name == "n" else "string"}"}}' for name in ("id", "n", *FULL))
    whole = f'{{"type":"record","name":"Whole","fields":[{fields}]}}'
    fields = ",".join(f'{{"name":"{name}","type":"{"int" if name == "n" else "string"}"}}' for name in ("id", "n", "tier"))
    part = f'{{"type":"record","name":"Part","fields":[{fields}]}}'
    reader = SourceReader(mapping(TEXT, HEAD.replace("json", "avro")), DictRegistry({1: whole, 2: part}))
    events = [avro(whole, {"id": "1", "n": 1} | FULL, 1), avro(part, {"id": "1", "n": 2, "tier": "x"}, 2)]
    changes = [reader.read(Message("t", 0, n, None, value, (), 0)).changes[0] for n, value in enumerate(events)]
    assert [change.operation for change in changes] == ["snapshot", "patch"]
    assert set(support.named(changes[1].attributes)) == {"characteristics"}


# -- what a mapping says of it --


def test_a_mapping_can_say_that_absent_paths_are_empty() -> None:
    topic = Topic(HEAD + "absent: empty")
    change = topic.read({})
    assert (change.operation, change.attributes.emails, change.attributes.names) == ("snapshot", None, None)
    assert topic.absent == set()


def test_a_mapping_can_say_that_absent_paths_keep_what_was() -> None:
    topic = Topic(HEAD + "absent: {emails: keep, characteristics.tier: keep, otherwise: empty}")
    topic.read(FULL)
    change = topic.read({})
    assert change.operation == "patch"
    assert support.named(change.attributes) == {"names": None}
    assert topic.absent == set(), "it is as the mapping says"


@pytest.mark.parametrize("absent", ["absent: no", "absent: {email: keep}", "absent: {emails: yes}"])
def test_another_word_or_attribute_is_refused(absent: str) -> None:
    with pytest.raises(DocumentError, match="absent"):
        mapping(TEXT, HEAD + absent)


# -- events with nothing of it --


def test_an_event_of_another_type_empties_nothing_and_is_told() -> None:
    topic = Topic()
    topic.read(FULL)
    change = topic.read({"order": 5})
    assert (change.operation, support.named(change.attributes), topic.empty) == ("patch", {}, True)
    topic.read(FULL)
    assert not topic.empty


def test_a_patch_with_nothing_mapped_is_told() -> None:
    topic = Topic(HEAD + "operation: patch")
    topic.read({"other": 1})
    assert topic.empty
    topic.read({"email": None})
    assert not topic.empty


def test_a_mapping_without_paths_misses_none() -> None:
    topic = Topic(text="status: {constant: active}\ngender: //header.g")
    assert topic.read({}).operation == "snapshot"
    assert not topic.empty


# -- the log --


def test_a_path_that_is_gone_is_logged_once_and_again_after_it_came_back(caplog: pytest.LogCaptureFixture) -> None:
    topic = Topic(DEBEZIUM)
    topic.read(FULL)
    for _ in range(3):
        topic.without("email")
    (record,) = caplog.records
    assert "mapping test: no event of t has email lately, since t/0/2" in record.getMessage()
    topic.read(FULL)
    topic.without("email")
    assert len(caplog.records) == 2


def test_a_path_that_was_never_seen_is_logged_after_some_events(caplog: pytest.LogCaptureFixture) -> None:
    topic = Topic()
    with caplog.at_level(logging.WARNING):
        for _ in range(PATIENCE - 1):
            topic.without("email")
        assert not caplog.records
        topic.without("email")
    assert len(caplog.records) == 1
    assert "Byron" not in caplog.text


@pytest.mark.parametrize("started_again_after", range(8))
def test_a_start_in_between_changes_nothing(started_again_after: int) -> None:
    events: list[dict[str, object]] = [
        FULL,
        {},
        {"first": "Bo", "last": "C"},
        {"email": "x@y.example"},
        FULL,
        {"tier": "gold"},
        {"last": "D"},
        {},
    ]

    def changes(*, restart: bool) -> list[SourceChange]:
        topic, found = Topic(), []
        for number, event in enumerate(events):
            if restart and number == started_again_after:
                note = topic.reader.remember("t", 0, topic.offset + 1)
                offset, topic = topic.offset, Topic()
                topic.offset = offset
                topic.reader.recall("t", 0, note)
            found.append(topic.read(event))
        return found

    assert changes(restart=True) == changes(restart=False)


def test_what_is_remembered_before_an_offset_is_the_same_whatever_was_read_behind_it() -> None:
    topic = Topic()
    topic.read({"first": "Ada"})
    before = topic.reader.remember("t", 0, topic.offset + 1)
    topic.read(FULL)

    assert topic.reader.remember("t", 0, topic.offset) == before != topic.reader.remember("t", 0, topic.offset + 1)


def test_what_is_remembered_of_another_mapping_is_forgotten() -> None:
    other = Topic(text="names: {given: first}\nemails: {value: mail}")
    other.read({"first": "Ada", "mail": "a@b.example"})
    topic = Topic()
    topic.reader.recall("t", 0, other.reader.remember("t", 0, other.offset + 1))

    assert topic.without("email").operation == "patch"


def test_what_is_remembered_spans_as_far_as_what_is_seen() -> None:
    topic = Topic()
    topic.read(FULL, offset=5)
    note = topic.reader.remember("t", 0, SPAN)

    for offset, operation in ((SPAN + 1, "snapshot"), (2 * SPAN + 1, "patch")):
        again = Topic()
        again.reader.recall("t", 0, note)
        assert again.without("email", offset=offset).operation == operation


def test_the_note_of_a_hundred_paths_is_small() -> None:
    topic = Topic(text="characteristics: {" + ", ".join(f"c{n}: some.path.that.is.long.c{n}" for n in range(100)) + "}")
    topic.read({"some": {"path": {"that": {"is": {"long": {f"c{n}": "x" for n in range(100)}}}}}})

    assert 0 < len(topic.reader.remember("t", 0, topic.offset + 1)) < 120


@pytest.mark.parametrize(
    ("person", "absent"),
    [
        ({"person": {"first": "A", "last": None}}, {"person.age"}),
        ({"person": {"first": "A", "last": "B", "age": 1}}, set()),
        ({"person": None}, set()),
        ({"person.first": "A"}, {"person.last", "person.age"}),
        ({"person": '{"first": "A"}'}, {"person.last", "person.age"}),
        ({}, {"person.first", "person.last", "person.age"}),
    ],
)
def test_paths_into_an_object_are_absent_where_nothing_stands_at_them(person: dict[str, object], absent: set[str]) -> None:
    presence = mapping("names: {given: person.first, family: person.last}\ncharacteristics: {age: person.age}").presence
    assert presence.absent(person, person) == absent


def test_a_path_through_what_is_no_object_is_refused_as_what_it_is_and_counts_as_there() -> None:
    topic = Topic(text="names: {given: person.first}\nstatus: state.now")
    topic.read({"person": {"first": "Ada"}, "state": {"now": "active"}})

    change = topic.read({"person": {"first": "Ada"}, "state": "active"})

    assert change.attributes.names is not None
    assert change.attributes.status is UNSET, "one bad value is left as it was"
    assert topic.absent == set()
    with pytest.raises(RejectedError, match="an object was expected"):
        topic.read({"person": "Ada", "state": {"now": "active"}})
