from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.identity.compare import cluster_veto
from streams.identity.features import Features
from tests.unit.streams.identity.people import any_record, record

clusters = st.lists(any_record(), min_size=1, max_size=4)


@given(left=clusters, right=clusters)
def test_a_veto_is_symmetric(left: list[Features], right: list[Features]) -> None:
    assert cluster_veto(left, right) == cluster_veto(right, left)


@given(left=clusters, right=clusters)
def test_a_veto_does_not_depend_on_the_order_of_members(left: list[Features], right: list[Features]) -> None:
    assert cluster_veto(left, right) == cluster_veto(left[::-1], right[::-1])


@given(cluster=clusters)
def test_nothing_vetoes_two_clusters_that_share_a_record_without_suffix(cluster: list[Features]) -> None:
    plain = [x for x in cluster if not any(name.suffix for name in x.names)]
    assert not cluster_veto(plain, plain)


def test_one_conflicting_identification_does_not_veto() -> None:
    a = record(given="John", family="Smith", national_id="QQ123456C")
    b = record(given="John", family="Smith", national_id="ZW998877A")
    assert not cluster_veto([a], [b])


def test_two_independent_conflicts_veto() -> None:
    a = record(given="John", family="Smith", birth="1980-05-17", national_id="QQ123456C")
    b = record(given="Eve", family="Jones", birth="1955-11-30", national_id="ZW998877A")
    c = record(family="Jones", birth="1955-11-30", national_id="ZW998877A")
    assert cluster_veto([a], [b])
    assert cluster_veto([a], [c])


def test_an_equal_identification_speaks_against_two_conflicts() -> None:
    a = record(given="John", family="Smith", birth="1980-05-17", passport="533401372")
    b = record(given="Eve", family="Smith", birth="1955-11-30", passport="533401372")
    assert not cluster_veto([a], [b])


def test_an_attribute_conflicts_only_if_every_cross_pair_does() -> None:
    father = record(given="John", family="Smith", birth="1955-11-30")
    son = record(given="John", family="Smith", birth="1980-05-17")
    undecided = record(given="John", family="Smith", birth="1955-11-03")
    assert cluster_veto([father], [son])
    assert not cluster_veto([father], [son, undecided])


def test_a_generation_suffix_vetoes_alone_even_with_an_equal_identification() -> None:
    a = record(given="John", family="Smith", suffix="Sr", passport="533401372")
    b = record(given="John", family="Smith", suffix="Jr", passport="533401372")
    unmarked = record(given="John", family="Smith", passport="533401372")
    assert cluster_veto([a], [b])
    assert cluster_veto([a, unmarked], [b, unmarked])
    assert not cluster_veto([a], [unmarked])


def test_twins_and_couples_are_vetoed_by_their_given_names() -> None:
    home = {"family": "Smith", "phone": "+447700900123"}
    assert cluster_veto(
        [record(given="Peter", birth="1980-05-17", **home)], [record(given="Anna", birth="1980-05-17", **home)]
    )
    assert cluster_veto([record(given="Peter", **home)], [record(given="Anna", **home)])


def test_unrelated_given_names_without_a_common_household_do_not_veto() -> None:
    assert not cluster_veto([record(given="Peter", family="Weatherby")], [record(given="Anna", family="Lindqvist")])


def test_swapped_names_do_not_veto() -> None:
    a = record(given="Ryan", family="Campbell", phone="+447700900123")
    b = record(given="Campbell", family="Ryan", phone="+447700900123")
    assert not cluster_veto([a], [b])


def test_a_nickname_does_not_veto() -> None:
    home = {"family": "Smith", "phone": "+447700900123"}
    assert not cluster_veto([record(given="Bill", **home)], [record(given="William", **home)])
