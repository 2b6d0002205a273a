"""A short run: some of every sort of fault. The long one is `make chaos`."""

from __future__ import annotations

import pytest

from tests.chaos.counting import Load
from tests.chaos.faults import SHORT
from tests.chaos.proxy import Way
from tests.chaos.run import chaos, strange_ends
from tests.conftest import cannot_run
from tests.parts import MissingPartError

FEW = Load(5_000, 100)

pytestmark = pytest.mark.kafka


def test_faults_lose_nothing_double_nothing_and_leave_table_and_stores_right() -> None:
    try:
        with chaos(brokers=1, seed=1, protocol="classic", say=print, sending=FEW) as run:
            report = run.run(SHORT)
            assert report.violations == []
            assert report.ending.well, report.ending
            assert strange_ends(report.codes) == []
            assert max(report.stops) < 10
            assert report.late == {f"EndTxn, {way}": 2 for way in Way}
            assert [struck.kind for struck in report.faults] == list(SHORT)
    except MissingPartError as error:
        cannot_run(str(error))
