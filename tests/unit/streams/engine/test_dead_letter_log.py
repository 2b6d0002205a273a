"""What the log says of dead letters."""

from __future__ import annotations

import pytest

from streams.engine.contract import Message
from streams.engine.dead_letter_log import QUIET_SECONDS, DeadLetterLog, Kept


def letter(offset: int, reason: str = "bad-date", topic: str = "crm") -> Kept:
    message = Message(topic, 3, offset, b"key", b"value", (), 0)
    return DeadLetterLog.kept(message, reason, "attributes.birth_date: not a date")


def test_the_first_of_a_kind_is_told_at_once_and_the_others_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    letters = DeadLetterLog("intake", lambda: now[0])
    letters.committed([letter(1)])
    first = "intake: a dead letter of crm: bad-date, attributes.birth_date: not a date (crm/3/1)"
    assert caplog.messages == [first]
    for offset in range(2, 1_202):
        letters.committed([letter(offset)])
    assert caplog.messages == [first]
    now[0] += QUIET_SECONDS
    letters.tell()
    assert caplog.messages[1:] == [
        "intake: 1,200 dead letters, the latest of crm: bad-date, attributes.birth_date: not a date (crm/3/1201)"
    ]
    now[0] += QUIET_SECONDS
    letters.tell()
    assert len(caplog.messages) == 2


def test_each_topic_and_reason_has_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    letters = DeadLetterLog("intake", lambda: 0.0)
    letters.committed([letter(1), letter(2), letter(3, "too-large"), letter(4, topic="billing")])
    assert [line.partition(",")[0] for line in caplog.messages] == [
        "intake: 2 dead letters",
        "intake: a dead letter of crm: too-large",
        "intake: a dead letter of billing: bad-date",
    ]


def test_what_was_counted_is_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    letters = DeadLetterLog("intake", lambda: 0.0)
    letters.committed([letter(1)])
    letters.committed([letter(2)])
    letters.close()
    assert [line.partition(" of ")[0] for line in caplog.messages] == ["intake: a dead letter", "intake: a dead letter"]
