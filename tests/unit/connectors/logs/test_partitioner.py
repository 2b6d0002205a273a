from __future__ import annotations

import pytest

from connectors.logs.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_the_hashes_of_kafkas_own_test(data: bytes, expected: int) -> None:
    assert murmur2(data) == expected % 2**32


def test_a_key_always_goes_to_one_partition_and_keys_spread() -> None:
    partitions = {partition_of(str(n).encode(), 4) for n in range(100)}
    assert partitions == {0, 1, 2, 3}
    assert partition_of(None, 4) == 0
