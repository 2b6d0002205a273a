"""A message refused inside the pipeline is kept and tried again; a run does not wait for that. On the embedded log."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.messages import RECORDS, TICK, Cause, MembershipChanged, Tick
from schemas.topics import DEAD_LETTERS
from schemas.topics import RECORDS as RECORDS_TOPIC
from streams.app.config import Configuration
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment
from streams.engine.dead_letters import reason_of
from streams.engine.outbox import Outgoing
from tests.e2e.bad_events import deployment
from tests.e2e.processes import SECRET


def test_it_is_kept_and_tried_again_and_a_run_that_ends_does_not_wait_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SINGLEVIEW_SECRET", SECRET)
    now = int(time.time() * 1000)  # the first try is a minute after it, by the clock

    def put(topic: str, key: bytes | None, value: bytes) -> None:
        log.begin()
        log.append([(Outgoing(topic, key, value), now)])
        log.commit()

    def run() -> int:
        """Until nothing is left to do; how many messages wait in `records` then."""
        for _ in pipeline.run():
            pass
        return sum(pipeline.workers["records"].parked.values())

    with Pipeline(Deployment(Configuration.load(deployment(tmp_path)))) as pipeline:
        log = pipeline.log
        unknown = "north/nowhere/1"
        moved = MembershipChanged(record=unknown, sequence=1, customer=None, cause=Cause("test/0/0", now))
        put(RECORDS_TOPIC, unknown.encode(), RECORDS.encode(moved))
        assert run() == 1
        assert [reason_of(letter.headers) for letter in log.messages(DEAD_LETTERS)] == ["unknown-record"]
        put(RECORDS_TOPIC, None, TICK.encode(Tick(time=now, everything=True)))
        assert run() == 1, "tried again, and there is still no such record"
        assert pipeline.workers["records"].counts.parked_tries == {"failed": 1}
        assert len(list(log.messages(DEAD_LETTERS))) == 1
