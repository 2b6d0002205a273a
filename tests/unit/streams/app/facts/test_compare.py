"""What may change between two starts: a table of the facts before and now, and what is said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.versions import FIRST, Release, client_id, release_of
from streams.app.facts import Facts, Source, compare, fingerprint, judge_members

CRM = Source("crm", ("crm.people",))
FACTS = Facts(
    secret="a",
    realms={"north": 0, "south": 1},
    partitions=4,
    sources=(CRM,),
    subscribers=("warehouse",),
    tables={"records-table": "id1"},
    inputs={"crm.people": "id2"},
    release="1.0",
    generation=5,
)


def but(**changes: Any) -> Facts:
    return msgspec.structs.replace(FACTS, **changes)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"secret": "b"}, "Set the one of before"),
        ({"realms": {"north": 1, "south": 0}}, "Write realms: {north: 0, south: 1}"),
        ({"realms": {"north": 0, "south": 2}}, "south has number 1, not 2"),
        ({"partitions": 2}, "this deployment has 4, not 2: a record's place depends on it. Write partitions: 4"),
        ({"sources": (Source("crm2", ("crm.people",)),)}, "topic crm.people was read as source crm, not crm2"),
        ({"sources": (CRM, Source("crm", ("crm.mails",)))}, "two mappings say source: crm (crm.people; crm.mails)"),
        ({"tables": {}}, "records-table is gone"),
        ({"tables": {"records-table": "id9"}}, "records-table was deleted and created again"),
        ({"generation": 4, "release": "0.9"}, "release 1.0 has run here and wrote what 0.9 cannot read: start 1.0"),
        ({"generation": 8, "release": "4.0"}, "4.0 no longer reads what it wrote: run a release between the two first"),
    ],
)
def test_what_must_not_change_is_refused_with_what_to_do(now: dict[str, Any], said: str) -> None:
    (refused,) = compare(FACTS, but(**now)).refused
    assert said in refused


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({}, ()),
        ({"realms": {"north": 0, "south": 1, "west": 2}}, ("realm west is new",)),
        ({"realms": {"north": 0, "south": 1, "west": 0}}, ("realm west is new",)),
        (
            {"realms": {"north": 0}},
            ("realm south is not configured any more: its customers stay, and its events are dead letters",),
        ),
        ({"sources": (CRM, Source("billing", ("bills",)))}, ("source billing is new",)),
        ({"sources": ()}, ("source crm is not configured any more: it is not read, and its records stay",)),
        ({"subscribers": ("mdm", "warehouse")}, ("subscriber mdm is new",)),
        ({"subscribers": ()}, ("subscriber warehouse is not configured any more: it gets nothing, and its topic stays",)),
        ({"inputs": {"crm.people": "id9"}}, ("source topic crm.people was deleted and created again",)),
        ({"generation": 7, "release": "3.0"}, ("release 3.0 after 1.0",)),
        ({"release": "1.1"}, ("release 1.1 after 1.0",)),
    ],
)
def test_what_may_change_is_told_and_kept(now: dict[str, Any], told: tuple[str, ...]) -> None:
    verdict = compare(FACTS, but(**now))
    assert verdict.refused == ()
    assert verdict.told == told
    again = compare(verdict.facts, but(**now))
    assert [one for one in again.told if "south" not in one] == []
    assert again.facts == verdict.facts


def test_a_deployment_without_facts_is_taken_as_it_is_found() -> None:
    twice = but(sources=(CRM, Source("crm", ("crm.mails",))))
    assert compare(None, twice) == ((), (), twice)
    assert compare(twice, twice).refused == ()


def test_a_new_deployment_may_not_begin_with_two_mappings_that_wipe_each_other() -> None:
    twice = but(tables={}, sources=(CRM, Source("crm", ("crm.mails",))))
    assert "two mappings say source: crm" in compare(None, twice).refused[0]


def test_two_mappings_of_one_source_go_together_when_they_speak_of_different_realms() -> None:
    brands = (Source("crm", ("crm.north",), ("north",)), Source("crm", ("crm.south",), ("south",)))
    assert compare(None, but(tables={}, sources=brands)).refused == ()
    overlapping = (brands[0], Source("crm", ("crm.both",), ("north", "south")))
    assert len(compare(None, but(tables={}, sources=overlapping)).refused) == 1


def test_the_number_of_a_realm_is_remembered_while_it_is_not_configured() -> None:
    without = compare(FACTS, but(realms={"north": 0})).facts
    assert compare(without, but(realms={"north": 0, "south": 1})).refused == ()
    assert "south has number 1, not 0" in compare(without, but(realms={"north": 0, "south": 0})).refused[0]


def test_a_table_whose_content_was_brought_back_is_accepted_by_name_and_no_other() -> None:
    again = but(tables={"records-table": "id9"})
    assert compare(FACTS, again, ["records-table"]).refused == ()
    assert compare(FACTS, again, ["records-table"]).facts.tables == {"records-table": "id9"}
    assert compare(FACTS, again, ["customers-table"]).refused != ()
    assert compare(FACTS, but(tables={}), ["records-table"]).refused != ()


def test_a_member_without_the_secret_leaves_it_as_it_was_kept() -> None:
    assert compare(FACTS, but(secret="")) == ((), (), FACTS)
    assert compare(but(secret=""), FACTS).facts == FACTS


def test_every_difference_is_told_at_once() -> None:
    assert len(compare(FACTS, but(secret="b", partitions=1, tables={})).refused) == 3


def test_a_fingerprint_tells_secrets_apart_and_deployments_and_is_the_same_every_time() -> None:
    one = fingerprint(b"a secret of these tests", "a.")
    assert one == fingerprint(b"a secret of these tests", "a.")
    assert len({one, fingerprint(b"a secret of these tests", "b."), fingerprint(b"another secret of these", "a.")}) == 3


# -- releases --

NEW = Release("2.0", 5)


def test_members_of_one_generation_run_together_and_others_are_named_with_what_to_do() -> None:
    assert judge_members([("a", NEW), ("b", Release("2.1", 5))], NEW) == []
    (refused,) = judge_members([("b", FIRST), ("a", FIRST), ("c", NEW)], NEW)
    assert refused.startswith("members of release 0.1.0 or older run (a, b), and this is 2.0")
    assert "Stop those first" in refused


def test_a_member_is_known_by_its_client_id_also_behind_one_of_its_own() -> None:
    assert release_of(client_id(NEW)) == NEW
    assert release_of(client_id(Release("1.0.dev3+g1", 7), "team-a")) == Release("1.0.dev3+g1", 7)
    assert release_of("rdkafka") == release_of("") == FIRST


@pytest.mark.parametrize(("generation", "reads"), [(2, False), (3, True), (5, True), (6, False)])
def test_a_release_goes_on_from_the_two_before_it(generation: int, reads: bool) -> None:
    assert NEW.reads(generation) is reads
