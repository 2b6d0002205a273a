"""A topic that cannot be written is named with what to do, and stops nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.topics import LARGEST_MESSAGE_BYTES
from streams.engine.dead_letters import reason_of
from tests.kafka.deployed import Deployed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


@pytest.fixture
def two(deployed: Deployed) -> Deployed:
    """A deployment with two subscribers."""
    deployed.configure(subscribers=[{"name": "warehouse"}, {"name": "mdm"}])
    deployed.init()
    return deployed


def test_a_subscribers_topic_that_is_deleted_holds_up_no_other_and_nothing_is_lost(two: Deployed) -> None:
    with two.running() as running:
        two.send(1)
        running.until(lambda: len(two.read(two.of("notify.mdm"))) == 1, "the first notification")
        sent = two.read(two.of("notify.mdm"))
        two.delete(two.of("notify.mdm"))
        two.send(2, 3)
        running.says(f"{two.of('notify.mdm')} does not exist: run `singleview init`")
        running.until(lambda: len(two.read(two.of("notify.warehouse"))) == 3, "the other's notifications")
    others = [each for each in two.read(two.of("notify.warehouse")) if each not in sent]
    kept = two.messages(two.of("dead-letters"))
    assert sorted((each.key(), each.value()) for each in kept) == sorted(others)
    headers: Any = [each.headers() for each in kept]
    assert {reason_of(each) for each in headers} == {"undeliverable"}


def test_a_subscribers_topic_that_takes_too_little_holds_up_no_other(two: Deployed) -> None:
    two.alter(two.of("notify.mdm"), "max.message.bytes", "100")
    with two.running() as running:
        running.says(f"{two.of('notify.mdm')} takes messages of 100 bytes only: run kafka-configs.sh")
        two.send(1, 2, 3)
        running.until(lambda: len(two.read(two.of("notify.warehouse"))) == 3, "the other's notifications")
        running.says("Its notifications are kept in dead-letters (reason undeliverable)")
    assert len(two.read(two.of("dead-letters"))) == 3


def test_a_public_topic_that_takes_too_little_is_named_with_the_command_and_all_goes_on_once_it_is_mended(
    deployed: Deployed,
) -> None:
    deployed.init()
    view = deployed.of("customer-view")
    deployed.alter(view, "max.message.bytes", "100")
    with deployed.running() as running:
        deployed.send(1, 2)
        command = f"--entity-name {view} --add-config max.message.bytes={LARGEST_MESSAGE_BYTES}"
        running.until(lambda: "nothing done, again in" in running.log and running.log.count(command) >= 2, "the command")
        running.until(lambda: len(deployed.read(deployed.of("customers"))) > 0, "what is before it goes on")
        deployed.alter(view, "max.message.bytes", str(LARGEST_MESSAGE_BYTES))
        running.until(lambda: deployed.seen("customer-view") == 2, "the views")
    assert len(deployed.read(deployed.of("customer-changes"))) == 2
