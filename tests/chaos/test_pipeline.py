"""The whole pipeline under a few faults. The long run is `python -m tests.chaos --pipeline`."""

from __future__ import annotations

import pytest

from tests.chaos.pipeline import pipeline_chaos
from tests.chaos.pipeline_faults import SHORT
from tests.conftest import cannot_run
from tests.parts import MissingPartError

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def test_faults_leave_the_views_changes_and_notifications_that_the_events_call_for() -> None:
    try:
        with pipeline_chaos(customers=100, seed=1, say=print) as run:
            report = run.run(SHORT)
            assert report.problems == []
            assert max(report.stops) < 12
            assert [struck.kind for struck in report.faults] == list(SHORT)
    except MissingPartError as error:
        cannot_run(str(error))
