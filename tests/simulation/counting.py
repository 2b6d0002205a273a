"""A small pipeline of three processors, the last without a store; every count must come out once and in order."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from random import Random

from schemas.topics import DEAD_LETTERS, TopicSpec
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.dead_letters import PREFIX
from streams.engine.log import Inbox
from streams.engine.outbox import Outgoing
from tests.simulation.partition import Record
from tests.simulation.reading import check_stores, committed, rows
from tests.simulation.world import Pipeline, Stage, World

STORED = {"count": "in", "add": "counted"}  # processors with a store, and their inboxes
GROUPS = (b"A", b"B", b"C")


class CountKeys:
    """Counts the messages of each key. `forget` deletes the count; `reject` and `fail` cannot be processed."""

    name = "count"

    def __init__(self, outside: Callable[[], None]) -> None:
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([message.key for message in batch if message.key])

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


class PassOn:
    """Sends on what comes."""

    name = "pass"

    def __init__(self, outside: Callable[[], None]) -> None:
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        out.send("passed", message.key, message.value)
        self._outside()


def pipeline(seed: int) -> Pipeline:
    """Sizes and input by the seed."""
    random = Random(f"counting {seed}")
    partitions = {name: random.randrange(1, 4) for name in ("in", "counted", "added", "passed")}
    topics = [_topic(name, count) for name, count in partitions.items()]
    topics += [_topic(f"{stage}-table", partitions[inbox], compacted=True) for stage, inbox in STORED.items()]
    topics += [_topic("last", 2, compacted=True), _topic(DEAD_LETTERS, 1)]
    kinds = (b"v",) * 6 + (b"forget",) * 3 + (b"reject", b"fail")
    keys = [group + b"%d" % number for group in GROUPS for number in range(4)]
    return Pipeline(
        topics=topics,
        stages=[
            Stage("count", "in", CountKeys, random.randrange(1, 4)),
            Stage("add", "counted", AddUp, random.randrange(1, 3)),
            Stage("pass", "added", PassOn, random.randrange(1, 3), stateful=False),
        ],
        input=[Outgoing("in", random.choice(keys), random.choice(kinds)) for _ in range(60)],
        partitioners={},
    )


def _topic(name: str, partitions: int, *, compacted: bool = False) -> TopicSpec:
    return TopicSpec(name, partitions, compacted, -1, 1_000_000)


def check(world: World, given: Pipeline) -> None:
    """Compares with pure folds of the input. Once at rest."""
    counts, counted, refused = fold_keys(given.input)
    seen: dict[bytes, list[bytes]] = {}
    for record in committed(world, "counted"):
        assert record.value is not None
        seen.setdefault(record.value.split()[0], []).append(record.value)
    assert seen == counted, "the counts of a key, in order"
    assert rows(world, "count-table") == counts, "the table of counts"
    assert rows(world, "last") == counts, "the last counts"
    letters = Tally(dict(r.headers)[PREFIX + "exception.class.name"] for r in committed(world, DEAD_LETTERS))
    assert letters == refused, "dead letters"
    _check_sums(world)
    for group in GROUPS:
        added, passed = ([r.value for r in committed(world, topic, group)] for topic in ("added", "passed"))
        assert passed == added, "what was passed on, in order"
    check_stores(world)


def _check_sums(world: World) -> None:
    """The sums are a fold of the counts as they came to each partition."""
    expected: dict[bytes, list[bytes]] = {}
    for partition in world.broker.partitions("counted"):
        added, sums = fold_groups(record for _, record in partition.history)
        expected |= added
        table = world.broker.partition(Inbox("add-table", partition.number))
        assert table.latest() == sums, "the table of sums"
    for group in GROUPS:
        found = [record.value for record in committed(world, "added", group)]
        assert found == expected.get(group, []), "the sums of a group, in order"


def fold_keys(given: Iterable[Outgoing]) -> tuple[dict[bytes, bytes], dict[bytes, list[bytes]], Tally[bytes]]:
    """Counts, outputs by key, dead letters by reason."""
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
    return {key: b"%d" % count for key, count in counts.items()}, counted, refused


def fold_groups(records: Iterable[Record]) -> tuple[dict[bytes, list[bytes]], dict[bytes, bytes]]:
    """Outputs by group, and rows."""
    lasts: dict[bytes, dict[bytes, int]] = {}
    added: dict[bytes, list[bytes]] = {}
    sums: dict[bytes, bytes] = {}
    for record in records:
        group, value = record.key or b"", record.value or b""
        key, count = value.split()
        lasts.setdefault(group, {})[key] = int(count)
        numbered = added.setdefault(group, [])
        numbered.append(b"%d %d" % (len(numbered) + 1, sum(lasts[group].values())))
        sums |= {b"n" + group: b"%d" % len(numbered), b"%s/%s" % (group, key): count}
    return added, sums
