from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest

from schemas.canonical import Attributes
from schemas.messages import (
    CUSTOMERS,
    FIRST_VERSION,
    IDENTITY,
    RECORDS,
    TICK,
    VERSION,
    Cause,
    Codec,
    MembershipChanged,
    RecordIdentity,
    Tick,
    UnknownVersionError,
    ViewDue,
)

CAUSE = Cause("crm/0/1", 7)
TICKED = Tick(time=1_700_000_000_000)


def test_what_the_first_release_knows_is_written_as_it_reads_it() -> None:
    membership = MembershipChanged(record="north/crm/1", sequence=1, customer="c1", cause=CAUSE)
    identity = RecordIdentity(record="north/crm/1", version=3, attributes=Attributes(), cause=CAUSE)
    written = [RECORDS.encode(membership), IDENTITY.encode(identity), CUSTOMERS.encode(ViewDue(customer="c1"))]
    assert {data[0] for data in written} == {FIRST_VERSION} == {1}
    assert written[2] == b"\x01\x82\xa1t\xa3due\xa8customer\xa2c1"


@pytest.mark.parametrize("inbox", [RECORDS, IDENTITY, CUSTOMERS])
def test_a_tick_is_read_in_every_inbox_and_stops_a_release_that_does_not_know_it(inbox: Codec[object]) -> None:
    written = inbox.encode(TICKED)
    assert written == TICK.encode(TICKED) == b"\x02\x82\xa1t\xa4tick\xa4time\xcf\x00\x00\x01\x8b\xcf\xe5h\x00"
    assert inbox.decode(written) == TICKED


@pytest.mark.parametrize("data", [b"", b"\x00\x80", bytes([VERSION + 1]) + b"\x80"])
def test_a_version_that_is_not_known_is_not_guessed(data: bytes) -> None:
    with pytest.raises(UnknownVersionError):
        RECORDS.decode(data)


class Row(msgspec.Struct, omit_defaults=True):
    """A row that older readers must not read once a field of it is set."""

    count: int
    held: bool = False

    @property
    def codec_version(self) -> int:
        return 2 if self.held else 1


class Newer(msgspec.Struct):
    codec_version: ClassVar[int] = 2

    count: int


def test_a_row_is_written_with_the_lowest_version_that_says_enough() -> None:
    rows: Codec[Row] = Codec(Row)
    assert [rows.encode(Row(1))[0], rows.encode(Row(1, held=True))[0]] == [1, 2]
    assert rows.decode(rows.encode(Row(1, held=True))) == Row(1, held=True)
    newer: Codec[Newer] = Codec(Newer)
    assert newer.encode(Newer(1))[0] == 2
