"""A small pipeline of three processors, the last without a store; every count must come out once and in order.

What is due comes out once as well, and what was refused until something was there. Rows are split at a few bytes.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from random import Random

from schemas.messages import TICK, Tick
from schemas.topics import DEAD_LETTERS, TopicSpec
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.engine.dead_letters import PREFIX
from streams.engine.due import schedule, take_due
from streams.engine.log import Inbox
from streams.engine.outbox import Outgoing
from streams.engine.parked import PARKED, RETRIES, read_tally
from streams.engine.split import SPLIT
from tests.simulation.partition import Record
from tests.simulation.reading import check_stores, committed, rows, whole_rows
from tests.simulation.world import DAY_MS, Pipeline, Stage, World

STORED = {"count": "in", "add": "counted"}  # processors with a store, and their inboxes
GROUPS = (b"A", b"B", b"C")


OPEN, LARGE = b"\x00open/", b"\x00large/"


class CountKeys:
    """Counts the messages of each key. `forget` deletes the count; `reject` and `fail` cannot be processed.

    Not counted: `later N` rings in N ms; `wait` is refused until the key was opened (`open`); `grow N` keeps N bytes.
    """

    name = "count"

    def __init__(self, outside: Callable[[], None]) -> None:
        self._outside = outside

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        store.load([message.key for message in batch if message.key])

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        key, value = message.key, message.value
        assert value is not None
        if key is None:
            self._ring(TICK.decode(value), message, store, out)
            return
        match value.split():
            case [b"later", ms]:
                schedule(store, message.timestamp + int(ms), b"%s/%d" % (key, message.offset))
            case [b"open"]:
                store.put(OPEN + key, b"open")
            case [b"grow", size]:
                store.put(LARGE + key, key * int(size)) if int(size) else store.delete(LARGE + key)
            case [b"wait"]:
                out.send("rung", key, b"waited")
                self._outside()
                if store.get(OPEN + key) is None:
                    raise RejectedError("not-yet", "on purpose")
            case _:
                self._count(key, value, store, out)

    def _ring(self, tick: Tick, message: Message, store: Store, out: Outbox) -> None:
        due = take_due(store, tick.time, 3)
        for name in due:
            out.send("rung", name.split(b"/")[0], b"rung")
        self._outside()

    def _count(self, key: bytes, value: bytes, store: Store, out: Outbox) -> None:
        count = int(store.get(key) or b"0") + 1
        store.put(key, b"%d" % count)
        out.send("counted", key[:1], b"%s %d" % (key, count))
        self._outside()
        if value == b"reject":
            raise RejectedError("rejected", "on purpose")
        if value == b"fail":
            raise ValueError("on purpose")
        if value == b"forget":
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
        if group is None:
            return  # a tick
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
    topics += [_topic("last", 2, compacted=True), _topic("rung", 2), _topic(DEAD_LETTERS, 1)]
    kinds: tuple[bytes, ...] = (b"v",) * 12 + (b"forget",) * 6 + (b"reject", b"fail") * 2 + (b"wait", b"wait", b"open")
    kinds += tuple(b"later %d" % ms for ms in (0, 50, 500, 2 * DAY_MS)) + tuple(b"grow %d" % size for size in (0, 1, 9, 14))
    keys = [group + b"%d" % number for group in GROUPS for number in range(4)]
    return Pipeline(
        topics=topics,
        stages=[
            Stage("count", "in", CountKeys, random.randrange(1, 4)),
            Stage("add", "counted", AddUp, random.randrange(1, 3)),
            Stage("pass", "added", PassOn, random.randrange(1, 3), stateful=False),
        ],
        input=[Outgoing("in", random.choice(keys), random.choice(kinds)) for _ in range(80)],
        partitioners={},
    )


def _topic(name: str, partitions: int, *, compacted: bool = False) -> TopicSpec:
    return TopicSpec(name, partitions, compacted, -1, 1_000_000)


def check(world: World, given: Pipeline) -> None:
    """Compares with pure folds of the input. Once at rest."""
    counts, counted, refused = fold_keys(given.input)
    found = rows(world, "count-table")
    own = {key: found.pop(key) for key in list(found) if key.startswith(b"\x00")}
    assert own == fold_others(given.input), "rows that are not counts"
    rung = Tally((record.key or b"", record.value or b"") for record in committed(world, "rung"))
    assert rung == fold_rung(given.input), "what was due, and what was refused for a time"
    world.counts["something was due"] += sum(count for (_, what), count in rung.items() if what == b"rung")
    world.counts["processed after it was refused"] += refused[b"not-yet"] - _still_parked(world, given)
    world.counts["row in parts"] += sum(1 for inbox in world.stores for key in world.stores[inbox] if key.startswith(SPLIT))
    seen: dict[bytes, list[bytes]] = {}
    for record in committed(world, "counted"):
        if record.key is None:
            continue  # a tick
        assert record.value is not None
        seen.setdefault(record.value.split()[0], []).append(record.value)
    assert seen == counted, "the counts of a key, in order"
    assert found == counts, "the table of counts"
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
        assert whole_rows(table.latest()) == sums, "the table of sums"
    for group in GROUPS:
        found = [record.value for record in committed(world, "added", group)]
        assert found == expected.get(group, []), "the sums of a group, in order"


def _still_parked(world: World, given: Pipeline) -> int:
    """Of those that waited; all others that were refused are parked for good. What no store says is not believed."""
    opened = {item.key for item in given.input if item.value == b"open"}
    waiting = sum(item.value == b"wait" and item.key not in opened for item in given.input)
    for_good = sum(item.value in {b"reject", b"fail"} for item in given.input)
    stores = [store for inbox, store in world.stores.items() if inbox.topic == "count"]
    assert sum(read_tally(store.get(PARKED)).count for store in stores) == waiting + for_good, "parked messages"
    assert sum(key.startswith(RETRIES) for store in stores for key in store) == waiting + for_good, "their next tries"
    return waiting


def fold_others(given: Iterable[Outgoing]) -> dict[bytes, bytes]:
    """Rows that are not counts."""
    found: dict[bytes, bytes] = {}
    for item in given:
        key, value = item.key or b"", item.value or b""
        if value == b"open":
            found[OPEN + key] = b"open"
        elif value.startswith(b"grow"):
            found[LARGE + key] = key * int(value.split()[1])
    return {key: value for key, value in found.items() if value}


def fold_rung(given: Sequence[Outgoing]) -> Tally[tuple[bytes, bytes]]:
    """What rings, by key: everything that was due, and what waited for something that came."""
    opened = {item.key for item in given if item.value == b"open"}
    rung: Tally[tuple[bytes, bytes]] = Tally()
    for item in given:
        key, value = item.key or b"", item.value or b""
        if value.startswith(b"later"):
            rung[key, b"rung"] += 1
        elif value == b"wait" and key in opened:
            rung[key, b"waited"] += 1
    return rung


def fold_keys(given: Iterable[Outgoing]) -> tuple[dict[bytes, bytes], dict[bytes, list[bytes]], Tally[bytes]]:
    """Counts, outputs by key, dead letters by reason."""
    counts: dict[bytes, int] = {}
    counted: dict[bytes, list[bytes]] = {}
    refused: Tally[bytes] = Tally()
    opened: set[bytes] = set()
    for item in given:
        key, value = item.key or b"", item.value or b""
        if value == b"open":
            opened.add(key)
        refused[b"not-yet"] += value == b"wait" and key not in opened
        if value.split()[0] in {b"later", b"wait", b"open", b"grow"}:
            continue
        if item.value in {b"reject", b"fail"}:
            refused[b"rejected" if item.value == b"reject" else b"processor-error"] += 1
            continue
        counts[key] = counts.get(key, 0) + 1
        counted.setdefault(key, []).append(b"%s %d" % (key, counts[key]))
        if item.value == b"forget":
            del counts[key]
    return {key: b"%d" % count for key, count in counts.items()}, counted, +refused


def fold_groups(records: Iterable[Record]) -> tuple[dict[bytes, list[bytes]], dict[bytes, bytes]]:
    """Outputs by group, and rows."""
    lasts: dict[bytes, dict[bytes, int]] = {}
    added: dict[bytes, list[bytes]] = {}
    sums: dict[bytes, bytes] = {}
    for record in records:
        if record.key is None:
            continue  # a tick
        group, value = record.key or b"", record.value or b""
        key, count = value.split()
        lasts.setdefault(group, {})[key] = int(count)
        numbered = added.setdefault(group, [])
        numbered.append(b"%d %d" % (len(numbered) + 1, sum(lasts[group].values())))
        sums |= {b"n" + group: b"%d" % len(numbered), b"%s/%s" % (group, key): count}
    return added, sums
