from __future__ import annotations

from itertools import count
from typing import Literal, NamedTuple

import pytest

from connectors.mappings.reading import Unread
from schemas.canonical import Attributes
from schemas.messages import RECORDS, Cause, Order, SourceChange
from streams.engine.contract import Message, RejectedError, SourceStoppedError
from streams.intake import LARGEST_CHANGE_BYTES, LARGEST_MESSAGE_BYTES, MOST_DETAIL, Intake, StopRule
from tests.fakes import MemoryStore, RecordingOutbox, message


class Reading(NamedTuple):
    changes: list[SourceChange]
    refused: list[RejectedError] = []  # noqa: RUF012 - never changed
    rows: bool = False
    empty: bool = False
    whole: bool = False
    unread: list[Unread] = []  # noqa: RUF012 - never changed


class Reader:
    """Reads values as `changes_in` does. `?` is a row that is refused, `-` a snapshot and `~` a patch of nothing mapped."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.absent: dict[tuple[str, str], int] = {}

    def begin(self, event: Message) -> None:
        self.begun.append(event.ref)

    def recall(self, topic: str, partition: int, note: str) -> None:
        self.begun.append(f"{topic}/{partition} after {note}")

    def remember(self, topic: str, partition: int, offset: int) -> str:
        return f"{topic}/{partition} to {offset}"

    def read(self, event: Message) -> Reading:
        if event.value == b"unread":
            unread = [Unread("crm", name, "bad-value", f"mapping crm, attribute {name}: x") for name in ("kind", "consents")]
            return Reading([change(event, "north/crm/1", "patch")], unread=unread)
        if event.value in (b"-", b"~"):
            return Reading([change(event, "north/crm/1", "patch")], empty=True, whole=event.value == b"-")
        if event.value and event.value.startswith(b"rows "):
            rows = event.value.decode().split(" ")[1:]
            refused = [RejectedError("bad-value", f"row {number}: x") for number, row in enumerate(rows) if row == "?"]
            return Reading([change(event, *_stated(row)) for row in rows if row != "?"], refused, rows=True)
        return Reading(changes_in(event))


def _stated(row: str) -> tuple[str, Literal["patch"], str]:
    record, _, status = row.partition("=")
    return record, "patch", status


def changes_in(event: Message) -> list[SourceChange]:
    """The value names records, with a blank between; all but the last are deleted. A status stands after `=`."""
    if event.value == b"bad":
        raise RejectedError("malformed-json", "mapping test")
    if event.value is None:
        return []
    *left, now = event.value.decode().split(" ")
    record, _, status = now.partition("=")
    return [*(change(event, record, "delete") for record in left), change(event, record, "patch", status)]


def change(event: Message, record: str, operation: Literal["patch", "delete"], status: str = "") -> SourceChange:
    attributes = Attributes(status=status) if status else Attributes()
    cause = Cause(event.ref, 0)
    return SourceChange(
        record=record, operation=operation, order=Order("seq", (event.offset,)), attributes=attributes, cause=cause
    )


DEFAULT = StopRule()


def intake(stop: StopRule = DEFAULT) -> Intake:
    return Intake({"source": Reader(), "other": Reader()}, {"north"}, stop)


OFFSETS = count()


def feed(processor: Intake, value: bytes | None, topic: str = "source", offset: int | None = None) -> RecordingOutbox:
    """A new event, unless an offset is given."""
    out = RecordingOutbox()
    processor.process(message(value, topic=topic, offset=next(OFFSETS) if offset is None else offset), MemoryStore(), out)
    return out


def test_a_change_goes_to_the_inbox_of_its_record() -> None:
    (sent,) = feed(intake(), b"north/crm/7", offset=3).sent
    assert (sent.topic, sent.key) == ("records", b"north/crm/7")
    change = RECORDS.decode(sent.value or b"")
    assert isinstance(change, SourceChange)
    assert change.cause.ref == "source/0/3"


def test_an_event_that_says_nothing_sends_nothing() -> None:
    assert feed(intake(), None).sent == []


def test_a_topic_without_mapping_and_an_unknown_realm_are_rejected_by_name() -> None:
    with pytest.raises(RejectedError, match="unknown-source"):
        feed(intake(), b"north/crm/7", topic="stray")
    with pytest.raises(RejectedError, match=r"unknown-realm.*north"):
        feed(intake(), b"west/crm/7")


def test_an_event_that_swells_beyond_what_is_kept_is_rejected_without_a_value() -> None:
    (sent,) = feed(intake(), b"north/crm/7=" + b"x" * (LARGEST_CHANGE_BYTES - 200)).sent
    assert len(sent.value or b"") <= LARGEST_CHANGE_BYTES
    with pytest.raises(
        RejectedError, match=r"too-large: the mapping makes a patch of 2,.* more than the 2,097,152"
    ) as caught:
        feed(intake(), b"north/crm/7=" + b"x" * LARGEST_CHANGE_BYTES)
    assert "crm" not in str(caught.value)
    assert "xx" not in str(caught.value)


def test_events_that_swell_count_as_dead_letters_of_their_source() -> None:
    with pytest.raises(SourceStoppedError, match="too-large"):
        feed(intake(StopRule(share=0.5, window=20, least=1)), b"north/crm/7=" + b"x" * LARGEST_CHANGE_BYTES)


def test_what_cannot_be_read_of_an_event_is_counted_once_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    processor = intake()
    at = next(OFFSETS)
    for offset in (at, at, at + 1):  # the first batch is done again
        out = RecordingOutbox()
        processor.process(message(b"unread", topic="source", offset=offset), MemoryStore(), out)
        assert [sent.key for sent in out.sent] == [b"north/crm/1"]
    assert processor.unread == {("crm", "kind"): 2, ("crm", "consents"): 2}
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "mapping crm, attribute kind",
        "mapping crm, attribute consents",
    ]


def test_a_record_that_moves_is_deleted_where_it_was_unless_that_realm_is_not_read() -> None:
    processor = Intake({"source": Reader()}, {"north", "south"})
    assert [sent.key for sent in feed(processor, b"north/crm/7 south/crm/7").sent] == [b"north/crm/7", b"south/crm/7"]
    assert [sent.key for sent in feed(processor, b"west/crm/7 south/crm/7").sent] == [b"south/crm/7"]
    with pytest.raises(RejectedError, match="unknown-realm"):
        feed(processor, b"north/crm/7 west/crm/7")


def test_a_source_of_mostly_dead_letters_is_stopped_rather_than_drained() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(9):
        with pytest.raises(RejectedError):
            feed(processor, b"bad")
    with pytest.raises(SourceStoppedError, match=r"50% of the last 10 events.*malformed-json"):
        feed(processor, b"bad")


def test_dead_letters_within_the_share_never_stop_a_source() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(100):
        feed(processor, b"north/crm/7")
        with pytest.raises(RejectedError):
            feed(processor, b"bad")


def test_only_the_latest_events_count() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(1_000):
        feed(processor, b"north/crm/7")
    for _ in range(10):
        with pytest.raises(RejectedError):
            feed(processor, b"bad")
    with pytest.raises(SourceStoppedError):
        feed(processor, b"bad")


def test_an_event_whose_batch_is_done_again_is_counted_once() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(100):
        for offset in range(9):
            with pytest.raises(RejectedError):
                feed(processor, b"bad", offset=offset)
    assert feed(processor, b"north/crm/7", offset=9).sent


def test_one_source_does_not_stop_another() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=1))
    with pytest.raises(SourceStoppedError):
        feed(processor, b"bad")
    assert feed(processor, b"north/crm/7", topic="other").sent


def test_a_batch_is_announced_to_the_reader_of_its_topic() -> None:
    reader = Reader()
    processor = Intake({"source": reader}, {"north"})
    processor.prepare([message(b"", topic="source", offset=7), message(b"", topic="source", offset=8)], MemoryStore())
    processor.prepare([message(b"", topic="stray", offset=1)], MemoryStore())
    assert reader.begun == ["source/0/7"]


def test_the_good_rows_of_a_message_are_sent_and_the_bad_ones_kept_with_their_numbers() -> None:
    out = feed(intake(), b"rows north/crm/1 ? west/crm/2 north/crm/3")
    assert [sent.key for sent in out.sent] == [b"north/crm/1", b"north/crm/3"]
    ((reason, detail),) = out.refused
    assert reason == "bad-value"
    assert detail == "row 1: x; unknown-realm: the event's realm is not one of: north"


def test_a_message_of_bad_rows_alone_is_rejected_as_a_whole() -> None:
    with pytest.raises(RejectedError, match="bad-value: row 0: x; bad-value: row 1: x"):
        feed(intake(), b"rows ? ?")


def test_what_is_said_of_many_bad_rows_is_bounded() -> None:
    ((_, detail),) = feed(intake(), b"rows north/crm/1" + b" ?" * 5_000).refused
    assert len(detail) < MOST_DETAIL + 50
    assert detail.endswith("... (5000 refusals)")


def test_bad_rows_count_as_a_dead_letter_of_their_source() -> None:
    with pytest.raises(SourceStoppedError, match="bad-value: row 1"):
        feed(intake(StopRule(share=0.5, window=20, least=1)), b"rows north/crm/1 ?")


def test_rows_that_swell_together_beyond_what_a_batch_reads_are_rejected() -> None:
    row = b" north/crm/7=" + b"x" * (LARGEST_CHANGE_BYTES - 200)
    with pytest.raises(RejectedError, match="too-large: the changes of its rows have more than 16,777,216 bytes"):
        feed(intake(), b"rows" + row * (LARGEST_MESSAGE_BYTES // len(row) + 1))


def test_snapshots_of_nothing_mapped_stop_their_source_where_they_are_the_rule() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(9):
        assert feed(processor, b"-").sent
    with pytest.raises(SourceStoppedError, match=r"most of the last 10 events have none of the paths"):
        feed(processor, b"-")
    assert processor.unmapped == {"source": 10}


def test_snapshots_of_nothing_mapped_within_the_share_never_stop_a_source() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(100):
        feed(processor, b"north/crm/7")
        feed(processor, b"-")


def test_patches_of_nothing_mapped_stop_their_source_only_if_nothing_else_comes() -> None:
    processor = intake(StopRule(share=0.5, window=20, least=10))
    for _ in range(5):
        feed(processor, b"north/crm/7")
        for _ in range(18):
            feed(processor, b"~")
    feed(processor, b"~")
    with pytest.raises(SourceStoppedError, match="none of the paths"):
        feed(processor, b"~")


def test_absent_paths_of_all_sources_are_told() -> None:
    one, other = Reader(), Reader()
    one.absent[("a", "email")] = 3
    other.absent[("b", "phone")] = 1
    assert Intake({"a": one, "b": other}, {"north"}).absent == {("a", "email"), ("b", "phone")}
