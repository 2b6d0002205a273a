"""What doctor says of source topics."""

from __future__ import annotations

from connectors.logs.groups import Position
from connectors.logs.kafka_begin import Mark
from connectors.logs.kafka_sources import ABSENT, FORBIDDEN, Standing
from streams.app.doctor.report import Status
from streams.app.doctor.sources import judge, made_anew

READ = Position("crm", 0, 10, 0, 20, Mark("one", 2).text())


def test_a_topic_that_may_not_be_read_is_not_one_that_is_not_there() -> None:
    found = list(judge({"crm": Standing("one"), "shop": Standing(trouble=FORBIDDEN), "web": Standing(trouble=ABSENT)}))
    assert [(check.status, check.what) for check in found] == [
        (Status.ERROR, "shop"),
        (Status.WARNING, "web"),
        (Status.OK, "1 of 3 topics"),
    ]
    assert "--operation Read --operation Describe --topic shop" in found[0].fix
    assert found[1].found == "does not exist"


def test_a_topic_of_another_id_than_the_one_read_was_made_anew() -> None:
    other = READ._replace(partition=1)
    assert list(made_anew({"crm": Standing("one")}, [READ, other], {})) == []
    assert list(made_anew({"crm": Standing("two")}, [READ._replace(metadata="")], {})) == []
    (told,) = made_anew({"crm": Standing("two")}, [READ, other], {})
    assert (told.status, told.what) == (Status.WARNING, "crm")


def test_one_whose_offsets_order_its_events_needs_a_higher_epoch() -> None:
    (told,) = made_anew({"crm": Standing("two")}, [READ], {"crm": 2})
    assert (told.status, told.fix) == (Status.ERROR, "set `epoch: 3` in its mapping, then start intake again")
    (raised,) = made_anew({"crm": Standing("two")}, [READ], {"crm": 3})
    assert raised.status is Status.WARNING
