from __future__ import annotations

from schemas.canonical import ATTRIBUTES, Attributes, Email
from streams.customers.rows import FEW, MEMBER_ROW, MemberRow, MemberRows, some_of

STATED = Attributes(
    status="active", gender="female", emails=[Email(value="a@example.org")], characteristics={"tier": "gold"}
)
TIMES = {"status": 3, "gender": 2, "emails": 1, "characteristics.tier": 4}
ROW = MemberRow(sequence=7, attributes=STATED, times=TIMES)


def test_of_a_member_only_the_attributes_asked_for_are_read() -> None:
    read = some_of(frozenset({"status", "emails", "accounts"})).decode(MEMBER_ROW.encode(ROW))
    assert read.attributes is not None
    assert read.attributes.status == "active"
    assert read.attributes.emails == STATED.emails
    assert not read.attributes.accounts
    assert read.times == TIMES
    assert not hasattr(read.attributes, "gender")


def test_a_member_that_left_states_nothing() -> None:
    assert some_of(frozenset({"status"})).decode(MEMBER_ROW.encode(MemberRow(sequence=8))).attributes is None


def test_what_was_written_in_this_batch_is_not_decoded_again() -> None:
    rows = MemberRows()
    data = rows.encode(ROW)
    for names in (frozenset({"status"}), frozenset(ATTRIBUTES)):
        assert rows.reader(names)(data) is ROW
    rows.forget()
    assert rows.reader(frozenset(ATTRIBUTES[: FEW + 1]))(data) == ROW
    assert rows.reader(frozenset({"gender"}))(data) is rows.decode(data)
