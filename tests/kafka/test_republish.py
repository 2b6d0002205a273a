"""`customer-view`, deleted and made anew, holds every view again as it was last published."""

from __future__ import annotations

import pytest

from tests.kafka.deployed import Deployed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def test_every_view_comes_back_as_it_was_and_nothing_is_told_twice(deployed: Deployed) -> None:
    deployed.init()
    view, changes = deployed.of("customer-view"), deployed.of("customer-changes")
    with deployed.running() as running:
        deployed.send(*range(30))
        running.until(lambda: deployed.seen("customer-view") == 30, "the views")
        deployed.send(*range(10), seq=2, given="Second")
        running.until(lambda: len(deployed.read(changes)) == 40, "the changes")
    before = dict(deployed.read(view))
    deployed.delete(view)
    assert "does not exist: run `singleview init` first" in " ".join(deployed("republish").err.split())
    deployed.init()
    assert deployed("republish").code == 0
    with deployed.running() as running:
        running.until(lambda: deployed.seen("customer-view") == 30, "the views again")
        deployed.send(0, seq=3, given="Third")
        running.until(lambda: len(deployed.read(changes)) == 41, "the change after it")
    again = dict(deployed.read(view))
    assert len([key for key in before if again[key] != before[key]]) == 1
