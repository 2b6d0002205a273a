"""What a long run says of memory and open files."""

from __future__ import annotations

import pytest

from benchmarks.engine import FailedError
from benchmarks.processes import Holding
from benchmarks.soak import TROUBLE, Sample, figures


def test_the_second_quarter_is_compared_with_the_last() -> None:
    samples = [Sample(float(n), Holding(resident_mb=100.0 + n, files=50)) for n in range(8)]
    found = figures([*samples[:3], Sample(3.0, Holding(500.0, 60)), *samples[4:]])
    assert (found["memory_mb_second_quarter"], found["memory_mb_last_quarter"]) == (301.0, 106.5)
    assert (found["memory_mb_highest"], found["files_highest"]) == (500.0, 60)


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(FailedError, match="longer"):
        figures([Sample(0.0, Holding(1.0, 1))] * 3)


@pytest.mark.parametrize("line", ["12:00 WARNING records: away", "12:00 ERROR x", "Traceback (most recent call last):"])
def test_trouble_is_seen_in_a_log(line: str) -> None:
    assert TROUBLE.search(line)
    assert not TROUBLE.search("12:00 INFO records: assigned")
