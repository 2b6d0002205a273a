"""A message that a processor refuses once leaves no lasting damage: what is lacking comes in time, without a new event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import IDENTITY as IDENTITY_CODEC
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import TICK, Codec, Tick
from schemas.topics import CUSTOMERS, IDENTITY, INBOXES, RECORDS
from streams.app.commands.settle import settle
from streams.app.config import Configuration
from streams.app.embedded import Pipeline, data_paths
from streams.app.summary import Tables, waiting
from streams.app.wiring import Deployment
from streams.engine.contract import Message, Outbox, Processor, RejectedError, Store
from streams.engine.outbox import Outgoing
from tests.e2e.views import View, comparable, latest_views

NOW_MS = 1_704_100_000_000
DAY_MS = 86_400_000
CODECS: dict[str, Codec[Any]] = {"records": RECORDS_CODEC, "identity": IDENTITY_CODEC, "customers": CUSTOMERS_CODEC}
INBOX = {"records": RECORDS, "identity": IDENTITY, "customers": CUSTOMERS}

MAPPING = """
source: {path: system}
topics: [people]
format: json
realm: {path: realm}
record_id: id
order: {sequence: seq}
operation: {path: op, values: {D: delete}, otherwise: snapshot}
event_time: {path: at, format: epoch_ms}
attributes:
  names: {given: given, family: family}
  birth_date: born
  status: status
  emails: {each: emails, value: .}
"""
ADA = {"given": "Ada", "family": "Featherstone", "born": "1971-03-02", "emails": ["ada@featherstone.example"]}
BRUNO = {"given": "Bruno", "family": "Okonkwo", "born": "1985-11-23", "emails": ["bruno.okonkwo@mail.example"]}


def event(system: str, seq: int, **said: object) -> bytes:
    return json.dumps({"system": system, "id": "1", "realm": "north", "seq": seq, "at": NOW_MS + seq, **said}).encode()


STEPS = (
    [event("crm", 1, status="new", **ADA)],
    [event("billing", 1, status="new", **ADA), event("selfcare", 1, status="new", **BRUNO)],
    [event("crm", 2, status="gold", **ADA)],
    [event("selfcare", 2, status="gold", **ADA)],  # it moves to the other customer
    [event("billing", 2, status="late", **BRUNO)],
    [event("crm", 3, op="D")],
)
"""Events that lead to every kind of message."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "people.yaml").write_text(MAPPING)
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef")
    path = tmp_path / "singleview.yaml"
    path.write_text(
        f"data: data\nprefix: ''\nrealms: {{north: 0}}\nsources: [people.yaml]\nsecret: ${{file:{tmp_path}/secret}}\n"
    )
    return path


class RefusesOnce:
    """A processor that refuses one message of a kind: the first, the second ...; counts those it met until then."""

    def __init__(self, inner: Processor, kind: str, number: int) -> None:
        self.name = inner.name
        self.refused = False
        self.met = 0
        self._inner = inner
        self._kind = kind
        self._number = number
        self._codec = CODECS[inner.name]

    def prepare(self, batch: Any, store: Store) -> None:
        self._inner.prepare(batch, store)

    def process(self, message: Message, store: Store, out: Outbox) -> None:
        if not self.refused and type(self._codec.decode(message.value or b"")).__name__ == self._kind:
            self.met += 1
            if self.met == self._number:
                self.refused = True
                raise RejectedError("bad-luck", "refused once")
        self._inner.process(message, store, out)


class Faulty(Deployment):
    """A deployment one of whose processors refuses a message."""

    def __init__(self, config: Path, name: str, kind: str, number: int) -> None:
        super().__init__(Configuration.load(config))
        self._faulty = (name, kind, number)
        self.refuses: RefusesOnce | None = None

    def processor(self, name: str, registry: Any) -> Processor:
        inner = super().processor(name, registry)
        if name != self._faulty[0]:
            return inner
        self.refuses = RefusesOnce(inner, *self._faulty[1:])
        return self.refuses


def drain(pipeline: Pipeline) -> None:
    for _ in pipeline.run():
        pass


def send(pipeline: Pipeline, values: list[Outgoing]) -> None:
    pipeline.log.begin()
    pipeline.log.append((value, NOW_MS) for value in values)
    pipeline.log.commit()
    drain(pipeline)


def let_time_pass(pipeline: Pipeline) -> None:
    """Some days, as ticks tell it."""
    for day in range(1, 5):
        tick = TICK.encode(Tick(time=int(2e12) + day * DAY_MS))
        send(pipeline, [Outgoing(inbox, None, tick, (), 0) for inbox in INBOXES])


def views_of(pipeline: Pipeline) -> dict[frozenset[str], View]:
    return comparable(latest_views(pipeline.log))


def run(faulty: Faulty) -> tuple[dict[frozenset[str], View], RefusesOnce]:
    """The events, then some days; the views."""
    with Pipeline(faulty) as pipeline:
        for values in STEPS:
            send(pipeline, [Outgoing("people", None, value) for value in values])
        let_time_pass(pipeline)
        assert faulty.refuses is not None
        return views_of(pipeline), faulty.refuses


KINDS = (
    ("records", "MembershipChanged"),
    ("identity", "RecordIdentity"),
    ("customers", "MemberAttached"),
    ("customers", "MemberUpdated"),
    ("customers", "MemberDetached"),
    ("customers", "EntityChanged"),
)


@pytest.mark.parametrize("from_last", [0, 1, 2])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_what_one_refused_message_leaves_lacking_is_mended_without_a_new_event(
    config: Path, name: str, kind: str, from_last: int, tmp_path: Path
) -> None:
    expected, well = run(Faulty(config, name, kind, 0))
    assert not well.refused
    (tmp_path / "data").rename(tmp_path / "well")
    faulty = Faulty(config, name, kind, well.met - from_last)
    found, refuses = run(faulty)
    assert refuses.refused
    assert found == expected
    with Tables(data_paths(faulty.configuration.data_folder)[1]) as tables:
        assert waiting(tables) == (0, 0, 0, 0)


def test_the_command_mends_it_at_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = Faulty(config, "identity", "RecordIdentity", 1)
    with Pipeline(faulty) as pipeline:
        send(pipeline, [Outgoing("people", None, STEPS[0][0])])
        assert not views_of(pipeline)
    with Tables(data_paths(faulty.configuration.data_folder)[1]) as tables:
        assert waiting(tables).records_without_customer == 1
    settle(config, None, every_record=False, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["partitions"] == {"records": 1, "identity": 1, "customers": 1}
    assert (said["records_without_customer"], said["unsettled_customers"]) == (0, 0)
    with Pipeline(Deployment(Configuration.load(config))) as pipeline:
        assert views_of(pipeline).keys() == {frozenset({"north/crm/1"})}
