"""Where a partition is begun, and when it cannot be."""

from __future__ import annotations

import pytest

from connectors.logs.kafka_begin import Begin, LostError, Mark, Position, begin, mark_of

AT = Position("crm/0", True, 100, Mark("one"), Mark("one"), False, 0, 200)


@pytest.mark.parametrize("committed", [0, 100, 200])
def test_a_committed_offset_that_is_there_is_where_to_begin(committed: int) -> None:
    assert begin(AT._replace(committed=committed)) == Begin(committed)


def test_offsets_that_were_never_marked_are_taken_as_they_are() -> None:
    assert begin(AT._replace(mark=None)) == Begin(100)
    assert begin(AT._replace(now=None)) == Begin(100)


def test_what_was_deleted_before_it_was_read_is_named_with_the_command_to_go_on() -> None:
    with pytest.raises(LostError) as lost:
        begin(AT._replace(first=150))
    assert str(lost.value) == (
        "crm/0: committed is offset 100, the oldest there is 150: 50 offsets (100 to 149) were deleted before they were"
        " read. Have the source send them once more if you can; to go on without them: singleview init --skip-lost crm"
    )


def test_what_an_operator_gives_up_is_left_out_and_said() -> None:
    found = begin(AT._replace(first=150, given_up=100))
    assert (found.offset, found.again) == (150, False)
    assert "50 offsets (100 to 149) are given up" in found.note
    with pytest.raises(LostError):  # it was something else that was given up
        begin(AT._replace(first=150, given_up=90))


def test_a_topic_made_anew_is_begun_at_its_first_offset() -> None:
    found = begin(AT._replace(now=Mark("two"), first=3))
    assert (found.offset, found.again) == (3, True)
    assert "crm/0 was deleted and made anew (topic id one, now two)" in found.note


def test_a_source_that_was_cut_off_is_begun_at_its_first_offset_and_an_inbox_of_our_own_is_not() -> None:
    assert begin(AT._replace(end=40))[::2] == (0, True)
    inbox = AT._replace(end=40, source=False, mark=None, now=None)
    with pytest.raises(LostError, match=r"ends at offset 40, before the committed 100.*--skip-lost crm"):
        begin(inbox)
    assert begin(inbox._replace(given_up=100)).offset == 0


def test_a_topic_made_anew_whose_log_orders_its_events_waits_for_a_higher_epoch() -> None:
    anew = AT._replace(mark=Mark("one", 3), now=Mark("two", 3), log_orders=True)
    with pytest.raises(LostError, match="set `epoch: 4` in its mapping, then start again"):
        begin(anew)
    assert begin(anew._replace(now=Mark("two", 4))).offset == 0
    with pytest.raises(LostError, match=r"raise `epoch`.*--skip-lost crm"):
        begin(anew._replace(mark=None, end=40))
    assert begin(anew._replace(mark=None, end=40, given_up=100)).offset == 0


def test_a_mark_is_read_as_it_was_written_and_what_is_none_is_none() -> None:
    assert mark_of(Mark("one", 2).text()) == Mark("one", 2)
    assert [mark_of(text) for text in ("", None, "by hand", "{}", '{"topic_id": 3}')] == [None] * 5
