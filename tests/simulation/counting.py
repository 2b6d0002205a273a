"""A small pipeline of two processors, and what must come out of it: every count once, in order, whatever happened."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from random import Random

from schemas.topics import DEAD_LETTERS, TopicSpec, table_topic
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.dead_letters import PREFIX
from streams.engine.log import Inbox
from streams.engine.outbox import Outgoing
from tests.simulation.partition import Record
from tests.simulation.world import Pipeline, Stage, World

GROUPS = (b"A", b"B", b"C")


class CountKeys:
    """Counts the messages of each key. `forget` deletes the count; `reject` and `fail` cannot be processed."""

    name = "count"

    def __init__(self, outside: Callable[[], None]) -> None:
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.get_many([message.key for message in batch if message.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        key = message.key
        assert key is not None
        count = int(store.get(key) or b"0") + 1
        store.put(key, b"%d" % count)
        out.send("counted", key[:1], b"%s %d" % (key, count))
        self._outside()
        if message.value == b"reject":
            raise RejectedError("rejected", "on purpose")
        if message.value == b"fail":
            raise ValueError("on purpose")
        if message.value == b"forget":
            store.delete(key)
            out.latest("last", key, None)
        else:
            out.latest("last", key, lambda: b"%d" % count)


class AddUp:
    """Keeps the last count of each key of a group, and numbers what comes."""

    name = "add"

    def __init__(self, outside: Callable[[], None]) -> None:
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        group, value = message.key, message.value
        assert group is not None
        assert value is not None
        key, count = value.split()
        store.put(b"%s/%s" % (group, key), count)
        self._outside()
        number = int(store.get(b"n" + group) or b"0") + 1
        store.put(b"n" + group, b"%d" % number)
        total = sum(int(last) for _, last in store.scan(group + b"/"))
        out.send("added", group, b"%d %d" % (number, total))


def pipeline(seed: int) -> Pipeline:
    """Sizes and input by the seed."""
    random = Random(f"counting {seed}")
    partitions = {name: random.randrange(1, 4) for name in ("in", "counted", "added")}
    inbox_of = {"count": "in", "add": "counted"}
    topics = [
        TopicSpec(name, count, compacted=False, retention_ms=-1, max_message_bytes=1) for name, count in partitions.items()
    ]
    topics += [
        TopicSpec(table_topic(stage), partitions[inbox], compacted=True, retention_ms=-1, max_message_bytes=1)
        for stage, inbox in inbox_of.items()
    ]
    topics.append(TopicSpec("last", 2, compacted=True, retention_ms=-1, max_message_bytes=1))
    topics.append(TopicSpec(DEAD_LETTERS, 1, compacted=False, retention_ms=-1, max_message_bytes=1))
    kinds = (b"v",) * 6 + (b"forget",) * 3 + (b"reject", b"fail")
    keys = [group + b"%d" % number for group in GROUPS for number in range(2)]
    return Pipeline(
        topics=topics,
        stages=[
            Stage("count", "in", CountKeys, random.randrange(1, 4)),
            Stage("add", "counted", AddUp, random.randrange(1, 3)),
        ],
        input=[Outgoing("in", random.choice(keys), random.choice(kinds)) for _ in range(60)],
        partitioners={},
    )


def check(world: World, given: Pipeline) -> None:
    """Compares what a read-committed reader sees with pure folds of the input. Once at rest."""
    counts, counted, last, refused = fold_keys(given.input)
    seen: dict[bytes, list[bytes]] = {}
    for record in committed(world, "counted"):
        assert record.value is not None
        seen.setdefault(record.value.split()[0], []).append(record.value)
    assert seen == counted, "the counts of a key, in order"
    tables = [world.broker.partition(Inbox("count-table", p.number)).latest() for p in world.broker.partitions("in")]
    assert merge(tables) == counts, "the table of counts"
    assert merge(p.latest() for p in world.broker.partitions("last")) == last, "the last counts"
    letters = Tally(dict(r.headers)[PREFIX + "exception.class.name"] for r in committed(world, DEAD_LETTERS))
    assert letters == refused, "dead letters"
    for partition in world.broker.partitions("counted"):
        number = partition.number
        table = world.broker.partition(Inbox("add-table", number)).latest()
        added, rows = fold_groups(record for _, record in partition.history)
        assert table == rows, "the table of sums"
        for group, expected in added.items():
            found = [r.value for r in committed(world, "added") if r.key == group]
            assert found == expected, "the sums of a group, in order"
    assert sum(1 for _ in committed(world, "added")) == sum(1 for _ in committed(world, "counted"))
    for stage in given.stages:
        for partition in world.broker.partitions(stage.inbox):
            held = world.stores[Inbox(stage.name, partition.number)]
            topic = world.broker.partition(Inbox(table_topic(stage.name), partition.number))
            assert held == topic.latest(), (stage.name, partition.number, held, topic.latest())


def fold_keys(
    given: Iterable[Outgoing],
) -> tuple[dict[bytes, bytes], dict[bytes, list[bytes]], dict[bytes, bytes], Tally[bytes]]:
    """Counts, outputs by key, last counts, dead letters by reason."""
    counts: dict[bytes, int] = {}
    counted: dict[bytes, list[bytes]] = {}
    refused: Tally[bytes] = Tally()
    for item in given:
        key = item.key or b""
        if item.value in {b"reject", b"fail"}:
            refused[b"rejected" if item.value == b"reject" else b"processor-error"] += 1
            continue
        counts[key] = counts.get(key, 0) + 1
        counted.setdefault(key, []).append(b"%s %d" % (key, counts[key]))
        if item.value == b"forget":
            del counts[key]
    rows = {key: b"%d" % count for key, count in counts.items()}
    return rows, counted, dict(rows), refused


def fold_groups(records: Iterable[Record]) -> tuple[dict[bytes, list[bytes]], dict[bytes, bytes]]:
    """Outputs by group, and rows."""
    lasts: dict[bytes, dict[bytes, int]] = {}
    added: dict[bytes, list[bytes]] = {}
    rows: dict[bytes, bytes] = {}
    for record in records:
        group, value = record.key or b"", record.value or b""
        key, count = value.split()
        lasts.setdefault(group, {})[key] = int(count)
        numbered = added.setdefault(group, [])
        numbered.append(b"%d %d" % (len(numbered) + 1, sum(lasts[group].values())))
        rows |= {b"n" + group: b"%d" % len(numbered), b"%s/%s" % (group, key): count}
    return added, rows


def committed(world: World, topic: str) -> Iterable[Record]:
    """What a read-committed reader that missed nothing saw, partition by partition."""
    for partition in world.broker.partitions(topic):
        yield from (record for _, record in partition.history)


def merge(tables: Iterable[dict[bytes, bytes]]) -> dict[bytes, bytes]:
    merged: dict[bytes, bytes] = {}
    for table in tables:
        assert not merged.keys() & table.keys(), "a key in two partitions"
        merged |= table
    return merged
