"""Whether a contender did the work: a figure of one that did not is void."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from benchmarks.events import Merged


class OutputRow(msgspec.Struct):
    """One output: the row of a key after one more event."""

    count: int
    merged: dict[str, object]


_row = msgspec.json.Decoder(OutputRow).decode


def what_is_wrong(outputs: Iterable[tuple[bytes, bytes]], expected: Mapping[bytes, Merged]) -> str:
    """Compares all outputs (key, JSON) with what must come out; empty if all is well.

    Every key must have one output for each of its events, counted from 1 without gap or repetition, the last with the
    fields of all merged.
    """
    number = 0
    counts: dict[bytes, int] = {}
    last: dict[bytes, OutputRow] = {}
    out_of_order = 0
    for key, value in outputs:
        number += 1
        row = _row(value)
        out_of_order += row.count != counts.get(key, 0) + 1
        counts[key] = row.count
        last[key] = row
    wanted = sum(row.number for row in expected.values())
    if number != wanted:
        return f"{number} outputs instead of {wanted}"
    if out_of_order:
        return f"{out_of_order} outputs do not count on from the one before"
    wrong = sum(key not in last or Merged(last[key].count, last[key].merged) != row for key, row in expected.items())
    return f"{wrong} of {len(expected)} keys end with another row" if wrong else ""
