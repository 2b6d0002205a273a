"""What goes wrong around one worker: its messages, its disk, its broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from schemas.messages import TICK
from schemas.topics import DEAD_LETTERS
from streams.engine.contract import Message, Outbox, RejectedError, Store, TransientError
from streams.engine.due import schedule, take_due
from streams.engine.log import FencedError, UnknownError
from tests.kafka.plant import PATIENCE, Counter, Plant, by_key, counting, run_all, run_until
from tests.parts import Part

pytestmark = pytest.mark.kafka

TRANSACTION_MS = 2_000
"""Small, for tests of what takes longer."""

MESSAGES = [(b"k%d" % (n % 6), b"v") for n in range(60)]


def test_a_poisoned_message_is_isolated_and_its_fellows_go_on(plant: Plant) -> None:
    plant.init()
    poisoned = [(b"k%d" % (n % 6), b"reject" if n % 10 == 0 else b"v") for n in range(60)]
    plant.feed(poisoned)
    run_until(plant.worker(batch=60), len(poisoned))
    assert by_key(plant.read("out")) == counting([m for m in poisoned if m[1] == b"v"])
    assert len(plant.read(DEAD_LETTERS)) == 6


def test_a_hot_key_is_worked_in_bounded_batches_among_the_others(plant: Plant) -> None:
    plant.init()
    hot = [(b"k0", b"v")] * 3_000
    messages = [*hot[:1_500], *MESSAGES, *hot[1_500:]]
    plant.feed(messages)
    worker = plant.worker(batch=100)
    run_until(worker, len(messages))
    assert worker.counts.batches >= len(messages) / 100
    assert by_key(plant.read("out")) == counting(messages)


def test_a_damaged_store_is_set_aside_and_rebuilt_from_its_table_topic(plant: Plant) -> None:
    plant.init()
    plant.feed(MESSAGES)
    first = plant.worker()
    run_until(first, len(MESSAGES))
    first.close()
    for file in plant.folder.rglob("*.sst"):
        content = bytearray(file.read_bytes())
        content[:64] = bytes(64)
        file.write_bytes(content)
    plant.feed(MESSAGES)
    second = plant.worker()
    run_until(second, len(MESSAGES))
    assert list(plant.folder.rglob("*.aside"))
    assert by_key(plant.read("out")) == counting([*MESSAGES, *MESSAGES])


def test_after_an_unknown_result_and_a_rebalance_the_partitions_are_read_on(plant: Plant) -> None:
    plant.init()
    results = iter([True])

    def lost_answer(step: int) -> None:
        if step == 6 and next(results, False):
            raise UnknownError("no answer")

    first, second = plant.worker("a", at=lost_answer), plant.worker("b")
    plant.feed(MESSAGES)
    run_all([first], lambda: first.counts.retries == 1)
    run_all([first, second], lambda: len(second.partitions) == 1 and not second.restoring)
    second.close()
    second = plant.worker("b")
    plant.feed(MESSAGES)
    run_all([first, second], lambda: sum(map(len, by_key(plant.read("out")).values())) == 2 * len(MESSAGES))
    assert by_key(plant.read("out")) == counting([*MESSAGES, *MESSAGES])


def test_who_is_fenced_while_it_gives_a_batch_up_leaves(plant: Plant) -> None:
    plant.init()
    plant.feed(MESSAGES)

    def usurped(step: int) -> None:
        if step == 2:
            usurper = plant.connection("a").producer(plant.names.prefix + "counter-a", 1_000_000, lambda: None)
            usurper.init_transactions(PATIENCE)
        elif step == 3:
            raise TransientError("the registry is away")

    worker = plant.worker("a", at=usurped)
    with pytest.raises(FencedError):
        run_until(worker, 1)


class Slow(Counter):
    """`slow` takes longer than a transaction may."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        super().process(message, store, out)
        if message.value == b"slow":
            time.sleep(1.2 * TRANSACTION_MS / 1000)  # this is what is tested: nothing waits for it


def test_a_message_that_takes_longer_than_a_transaction_may_stops_its_partition_alone(plant: Plant) -> None:
    plant.init()
    first = [(b"k0", b"v"), (b"k0", b"v"), (b"k0", b"slow"), (b"k0", b"v")]
    others = [(b"k1", b"v")] * 20
    plant.feed([*first, *others])
    worker = plant.worker(settings={"transaction.timeout.ms": str(TRANSACTION_MS)}, processor=Slow(), batch=3)
    run_all([worker], lambda: worker.counts.messages == 22 and bool(worker.stopped))
    assert by_key(plant.read("out")) == counting([*first[:2], *others])
    assert plant.read(DEAD_LETTERS) == []
    assert worker.stopped.keys() == {"in/0"}
    assert "in/0/2: it took 2." in worker.stopped["in/0"]
    assert "a transaction may take 2 s" in worker.stopped["in/0"]
    assert plant.consumed() == 22
    plant.feed([(b"k1", b"v")])
    run_until(worker, 23)
    worker.close()
    plant.workers.clear()
    run_until(plant.worker(), 2)
    assert by_key(plant.read("out")) == counting([*first, *others, (b"k1", b"v")])


class Clockwork:
    """`in N ms` is due then, by the message's time; what is due is sent. `early` is refused until the key was there."""

    name = "counter"

    def prepare(self, batch: Sequence[Message], store: Store) -> None: ...

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        value = message.value or b""
        if message.key is None:
            for name in take_due(store, TICK.decode(value).time, 2):
                out.send("out", name, b"due")
        elif value.startswith(b"in "):
            schedule(store, message.timestamp + int(value.split()[1]), message.key)
        elif value == b"early":
            if store.get(b"there") is None:
                raise RejectedError("not-yet", "on purpose")
            out.send("out", message.key, b"at last")
        else:
            store.put(b"there", b"1")


class Later:
    """A clock that can be set forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return int(time.time() * 1000) + self.ahead_ms


def test_what_is_due_comes_once_and_what_was_refused_comes_when_it_can_whoever_has_the_partition(plant: Plant) -> None:
    plant.init()
    clock = Later()
    names = [b"k%d" % n for n in (0, 2, 4, 6, 8)]  # all of one partition
    plant.feed([*[(name, b"in 60000") for name in names], (b"k0", b"early"), (b"k2", b"v"), (b"k1", b"early")])
    first = plant.worker("a", processor=Clockwork(), wall_ms=clock)
    run_until(first, 8)
    for _ in range(3):
        first.step(0.1)
    assert first.counts.messages == 8, "nothing is due yet"
    assert plant.read("out") == []
    assert {inbox.partition: count for inbox, count in first.parked.items()} == {0: 1, 1: 1}
    first.close()
    clock.ahead_ms = 10 * 60_000
    second = plant.worker("b", processor=Clockwork(), wall_ms=clock)
    run_all([second], lambda: len(plant.read("out")) == 6)
    assert sorted(plant.read("out")) == sorted([*[(name, b"due") for name in names], (b"k0", b"at last")])
    assert {inbox.partition: count for inbox, count in second.parked.items()} == {0: 0, 1: 1}
    assert len(plant.read(DEAD_LETTERS)) == 2
    before = second.counts.messages
    for _ in range(3):
        second.step(0.1)
    assert second.counts.messages == before, "no tick without need"


@pytest.fixture
def own_plant(own_kafka: Part, unique: str, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(own_kafka.address, unique, tmp_path)
    yield plant
    plant.close()


def test_a_broker_that_is_killed_and_comes_back_ends_no_worker(own_plant: Plant, own_kafka: Part) -> None:
    own_plant.init()
    own_plant.feed(MESSAGES)
    worker = own_plant.worker()
    run_until(worker, 20)
    own_kafka.kill()
    driven = threading.Thread(target=run_until, args=(worker, len(MESSAGES)))
    driven.start()
    deadline = time.monotonic() + PATIENCE
    while not worker.trouble:  # a step waits for the broker, so it is another thread that sees it waiting
        assert time.monotonic() < deadline
        driven.join(0.1)
    own_kafka.start()
    driven.join(PATIENCE)
    assert not driven.is_alive()
    assert by_key(own_plant.read("out")) == counting(MESSAGES)


def test_a_membership_lost_in_an_outage_is_taken_up_again(own_plant: Plant, own_kafka: Part) -> None:
    """A broker that dies as a process joins may hold that process's own old membership against it."""
    own_plant.init()
    worker = own_plant.worker(settings={"session.timeout.ms": "45000"})  # it will not leave by itself
    own_plant.feed(MESSAGES)
    run_until(worker, len(MESSAGES))
    own_kafka.kill()
    own_kafka.start()
    worker.step(0.2)
    own_plant.usurp("a")
    own_plant.feed(MESSAGES)
    run_until(worker, 2 * len(MESSAGES))
    assert sorted(own_plant.moves["a"]) == ["+0", "+0", "+1", "+1", "-0", "-1"]
    assert by_key(own_plant.read("out")) == counting([*MESSAGES, *MESSAGES])


def test_a_worker_told_to_stop_while_its_broker_is_away_ends_within_ten_seconds(own_plant: Plant, own_kafka: Part) -> None:
    own_plant.init()
    own_plant.feed(MESSAGES)
    stopping = threading.Event()
    told = threading.Timer(4, stopping.set)

    def broker_dies(step: int) -> None:
        if step == 4:
            own_kafka.kill()
            told.start()

    worker = own_plant.worker(at=broker_dies, stopping=stopping)
    while not stopping.is_set():
        worker.step(0.2)
    began = time.monotonic()
    worker.close()
    own_plant.workers.clear()
    assert time.monotonic() - began < 6  # and the step before it, that was told to stop in its midst
    told.join()
