"""What a lost message between processors leaves behind is asked for again: by ticks, and all of it by command."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import pytest

from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import IDENTITY as IDENTITY_CODEC
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import TICK, Codec, EntityChanged, MemberAttached, MemberUpdated, Sweep, Tick
from schemas.topics import CUSTOMER_VIEW, CUSTOMERS, IDENTITY, RECORDS
from streams.customers.rows import TALLIES as CUSTOMER_TALLIES
from streams.customers.rows import TALLY_KEY as CUSTOMER_TALLY
from streams.engine.due import DUE, due_ms
from streams.records import TALLIES, TALLY_KEY
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.simulation.people import changes
from tests.simulation.unified import INBOX_OF, Result, codec, processor, result

CODECS: Mapping[str, Codec[Any]] = {RECORDS: RECORDS_CODEC, IDENTITY: IDENTITY_CODEC, CUSTOMERS: CUSTOMERS_CODEC}
START_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class Sent(NamedTuple):
    """A message in an inbox."""

    key: bytes | None
    value: bytes


Loses = Callable[[object], bool]


def nothing(_: object) -> bool:
    return False


class Flow:
    """The three processors and their inboxes, which are read in any order. Time goes on only by `wait`."""

    def __init__(self, seed: int, loses: Loses = nothing, impatient: float = 0.0) -> None:
        """`loses`: the first message between processors of which this is true is lost. `impatient`: how often a tick of the
        next day comes in between."""
        self.lost: object = None
        self.sent: Counter[str] = Counter()  # messages between processors, by type
        self.now = START_MS
        self.stores = {inbox: MemoryStore() for inbox in INBOX_OF.values()}
        self._random = Random(seed)
        self._loses = loses
        self._impatient = impatient
        self._processors = {inbox: processor(name) for name, inbox in INBOX_OF.items()}
        self._inboxes: dict[str, deque[Sent]] = {inbox: deque() for inbox in INBOX_OF.values()}
        self._sources: deque[Sent] = deque()
        self._views: dict[bytes, bytes] = {}

    def run(self) -> None:
        """Until every inbox is empty."""
        queues = {"sources": self._sources, **self._inboxes}
        while waiting := [name for name, queue in queues.items() if queue]:
            inbox = self._random.choice(waiting)
            if inbox == "sources":
                self._inboxes[RECORDS].append(self._sources.popleft())
                continue
            if self._random.random() < self._impatient:
                self._process(inbox, Sent(None, TICK.encode(Tick(time=self.now + DAY_MS))))
            self._process(inbox, self._inboxes[inbox].popleft())

    def _process(self, inbox: str, given: Sent) -> None:
        out, store = RecordingOutbox(), self.stores[inbox]
        each = message(given.value, given.key, inbox, timestamp=self.now)
        self._processors[inbox].prepare([each], store)
        self._processors[inbox].process(each, store, out)
        for sent in out.sent:
            if sent.topic in self._inboxes:
                assert sent.value is not None
                self._send(sent.topic, Sent(sent.key, sent.value))
        self._views |= {sent.key or b"": sent.value or b"" for sent in out.on(CUSTOMER_VIEW)}

    def _send(self, inbox: str, sent: Sent) -> None:
        decoded = CODECS[inbox].decode(sent.value)
        self.sent[type(decoded).__name__] += 1
        if self.lost is None and self._loses(decoded):
            self.lost = decoded
        else:
            self._inboxes[inbox].append(sent)

    def feed(self, seed: int, most: int = 100) -> None:
        """Events of these people, at most so many."""
        for change in islice(changes(Random(seed)), most):
            self._sources.append(Sent(change.record.encode(), RECORDS_CODEC.encode(change)))

    def wait(self) -> None:
        """Until nothing is due any more."""
        for _ in range(20):
            due = [due_ms(DUE, key) for store in self.stores.values() for key in store.rows if key.startswith(DUE)]
            if not due:
                return
            self.now = max(self.now, min(due))
            for queue in self._inboxes.values():
                queue.append(Sent(None, TICK.encode(Tick(time=self.now))))
            self.run()
        pytest.fail("something stays due for ever")

    def settle(self) -> None:
        """As the command does with all records."""
        for queue in self._inboxes.values():
            queue.append(Sent(None, TICK.encode(Tick(time=self.now, everything=True))))
        self._inboxes[RECORDS].append(Sent(None, RECORDS_CODEC.encode(Sweep(time=self.now, all=True))))
        self.run()

    @property
    def waiting(self) -> tuple[int, int]:
        """Records without a customer, customers that are not settled."""
        records, customers = self.stores[RECORDS].get(TALLY_KEY), self.stores[CUSTOMERS].get(CUSTOMER_TALLY)
        return (
            TALLIES.decode(records).without_customer if records else 0,
            CUSTOMER_TALLIES.decode(customers).unsettled if customers else 0,
        )

    @property
    def result(self) -> Result:
        return result(self.stores[RECORDS].rows, map(codec().decode_view, self._views.values()))


def ended(seed: int) -> Result:
    """What comes of these events if nothing is lost."""
    flow = Flow(seed)
    flow.feed(seed)
    flow.run()
    assert flow.waiting == (0, 0)
    return flow.result


def is_noticed(sent: object) -> bool:
    """Whether the loss of this message leaves something unsettled: other losses only its retry, or the command, mends."""
    if isinstance(sent, MemberUpdated):
        return False
    if isinstance(sent, EntityChanged):
        return sent.count > 0
    return not (isinstance(sent, MemberAttached) and sent.grown is not None)


def nth(kind: str, number: int) -> Loses:
    """The message of this type and number."""
    seen: Counter[str] = Counter()

    def loses(sent: object) -> bool:
        seen[type(sent).__name__] += 1
        return type(sent).__name__ == kind and seen[kind] == number

    return loses


KINDS = ("RecordIdentity", "MembershipChanged", "EntityChanged", "MemberAttached", "MemberUpdated", "MemberDetached")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [3, 8])
def test_the_command_mends_the_loss_of_any_message(kind: str, seed: int) -> None:
    expected, lost = ended(seed), 0
    for number in (1, 2, 5, 9, 14):
        flow = Flow(seed + number, nth(kind, number))
        flow.feed(seed)
        flow.run()
        flow.settle()
        flow.wait()
        assert flow.waiting == (0, 0)
        assert flow.result == expected, f"{kind} {number}: {flow.lost}"
        lost += flow.lost is not None
    assert lost


@pytest.mark.parametrize("kind", ["MembershipChanged", "EntityChanged", "MemberAttached", "MemberDetached"])
@pytest.mark.parametrize("seed", [3, 8])
def test_ticks_alone_mend_what_leaves_a_customer_unsettled_or_a_record_without_one(kind: str, seed: int) -> None:
    expected = ended(seed)
    mended = 0
    for number in (1, 2, 4, 7, 11):
        flow = Flow(seed + number, nth(kind, number))
        flow.feed(seed)
        flow.run()
        left = flow.waiting
        flow.wait()
        assert flow.waiting == (0, 0)
        if flow.lost is not None and is_noticed(flow.lost):
            assert flow.result == expected, f"{kind} {number}: {flow.lost}"
            mended += left != (0, 0)
    assert mended or kind == "MemberAttached"


def test_a_record_whose_first_message_to_identity_is_lost_gets_its_customer_in_time() -> None:
    flow = Flow(1, nth("RecordIdentity", 1))
    flow.feed(1, most=1)
    flow.run()
    assert flow.waiting == (1, 0)
    assert not flow.result.views
    flow.wait()
    assert flow.waiting == (0, 0)
    assert len(flow.result.views) == 1


@pytest.mark.parametrize("seed", range(4))
def test_asking_in_the_midst_of_changes_changes_no_view(seed: int) -> None:
    flow = Flow(seed, impatient=0.2)
    flow.feed(seed)
    flow.run()
    assert flow.sent["Restate"] > 0
    assert flow.sent["RecordIdentity"] > 0
    flow.wait()
    assert flow.waiting == (0, 0)
    assert flow.result == ended(seed)


def test_where_nothing_was_lost_the_command_changes_nothing() -> None:
    flow = Flow(5)
    flow.feed(5)
    flow.run()
    before: Mapping[bytes, bytes] = dict(flow._views)
    flow.settle()
    assert flow._views == before
