from __future__ import annotations

import msgspec
import pytest

from benchmarks.events import events, expected
from benchmarks.verify import what_is_wrong

NUMBER = 400
Output = tuple[bytes, bytes]


def right_outputs() -> list[Output]:
    rows: dict[bytes, dict[str, object]] = {}
    counts: dict[bytes, int] = {}
    outputs = []
    for key, value in events(NUMBER):
        counts[key] = counts.get(key, 0) + 1
        rows[key] = {**rows.get(key, {}), **msgspec.json.decode(value)}
        outputs.append((key, msgspec.json.encode({"count": counts[key], "merged": rows[key]})))
    return outputs


def wrong_row(output: Output) -> Output:
    row = msgspec.json.decode(output[1])
    return output[0], msgspec.json.encode({**row, "merged": {**row["merged"], "status": "changed"}})


def test_a_run_that_did_the_work_is_not_void() -> None:
    assert what_is_wrong(right_outputs(), expected(NUMBER)) == ""


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda outputs: outputs[:-1], "outputs instead of"),
        (lambda outputs: [*outputs, outputs[-1]], "outputs instead of"),
        (lambda outputs: [*outputs[:-1], outputs[0]], "do not count on"),
        (lambda outputs: [*outputs[:-1], wrong_row(outputs[-1])], "end with another row"),
    ],
    ids=["lost", "doubled", "one lost and another doubled", "merged wrongly"],
)
def test_a_run_that_did_not_do_the_work_is_void(spoilt: object, why: str) -> None:
    assert callable(spoilt)
    assert why in what_is_wrong(spoilt(right_outputs()), expected(NUMBER))
