"""What can be read of a world at rest, by a read-committed reader that missed nothing."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.topics import table_topic
from streams.engine.log import Inbox
from streams.engine.overlay import Overlay
from streams.engine.split import PARTS, SPLIT, _part_key, is_head, split_rows
from tests.fakes import MemoryStore
from tests.simulation.partition import Record
from tests.simulation.world import World


def committed(world: World, topic: str, key: bytes | None = None) -> Iterator[Record]:
    """Every message of a topic, partition by partition; or those of one key."""
    for partition in world.broker.partitions(topic):
        yield from (record for _, record in partition.history if key is None or record.key == key)


def rows(world: World, topic: str) -> dict[bytes, bytes]:
    """A compacted topic as a table. Keys that start with a zero byte are each partition's own."""
    found: dict[bytes, bytes] = {}
    for partition in world.broker.partitions(topic):
        table = whole_rows(partition.latest())
        assert all(key.startswith(b"\x00") for key in found.keys() & table.keys()), f"a key in two partitions of {topic}"
        found |= table
    return found


def whole_rows(stored: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Rows of a processor as it sees them, of what is stored. No part may be left of a row that has fewer now."""
    split = split_rows((key, value) for key, value in stored.items() if key.startswith(SPLIT))
    assert split.keys() == {key for key, value in stored.items() if is_head(value)}, "rows in parts"
    parts = [key for key in stored if key.startswith(PARTS)]
    assert sorted(parts) == sorted(_part_key(key, number) for key, count in split.items() for number in range(count)), (
        "parts"
    )
    return dict(Overlay(MemoryStore(stored)).scan(b""))


def check_stores(world: World) -> None:
    """Every store holds what its table topic does."""
    for inbox, store in world.stores.items():
        table = world.broker.partition(Inbox(table_topic(inbox.topic), inbox.partition)).latest()
        assert store == table, f"store of {inbox.topic}/{inbox.partition}"
