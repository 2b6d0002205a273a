"""`singleview settle` on Kafka: each partition of each inbox is asked, and whoever runs the processors does it."""

from __future__ import annotations

import json

import pytest

from schemas.messages import CUSTOMERS as CUSTOMERS_CODEC
from schemas.messages import IDENTITY as IDENTITY_CODEC
from schemas.messages import RECORDS as RECORDS_CODEC
from schemas.messages import Sweep, Tick
from tests.kafka.deployed import Deployed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def test_every_partition_is_asked_and_events_go_on(deployed: Deployed) -> None:
    assert "does not exist: run `singleview init` first" in " ".join(deployed("settle").err.split())
    deployed.init()
    outcome = deployed("settle", "--all", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["partitions"] == {"records": 2, "identity": 2, "customers": 2}
    codecs = {"records": RECORDS_CODEC, "identity": IDENTITY_CODEC, "customers": CUSTOMERS_CODEC}
    sent = {
        inbox: [codec.decode(value or b"") for _, value in deployed.read(deployed.of(inbox))]  # type: ignore[attr-defined]
        for inbox, codec in codecs.items()
    }
    assert [type(note) for note in sent["customers"]] == [Tick, Tick]
    assert all(note.everything for note in sent["identity"])
    assert sorted(type(note).__name__ for note in sent["records"]) == ["Sweep", "Sweep", "Tick", "Tick"]
    assert all(note.all for note in sent["records"] if isinstance(note, Sweep))
    with deployed.running() as running:
        deployed.send(*range(3))
        running.until(lambda: deployed.seen("customer-view") == 3, "the views")
    assert not deployed.read(deployed.of("dead-letters"))
