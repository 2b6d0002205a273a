"""The people who are hard to tell apart really are there."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from connectors.simulated.households import SOUTH
from connectors.simulated.life import Story


def names(story: Story) -> set[tuple[str | None, str | None]]:
    return {(record.held.given, record.held.family) for record in story.records if not record.held.wrong_name}


def births(story: Story) -> set[str | None]:
    return {record.held.birth for record in story.records} - {None}


def houses(story: Story) -> set[tuple[str, str]]:
    addresses = [record.held.address for record in story.records if record.held.address]
    return {(address.house, address.city) for address in addresses}


def neighbours(told: list[Story], kind: str) -> list[tuple[Story, Story]]:
    """Members of one group follow each other."""
    return [(a, b) for a, b in pairwise(told) if a.kind == b.kind == kind and houses(a) & houses(b)]


def test_fathers_and_sons_share_name_and_address_but_no_birth_date(told: list[Story]) -> None:
    pairs = neighbours(told, "namesakes")
    assert len(pairs) > 20
    assert sum(bool(names(a) & names(b)) for a, b in pairs) > 0.8 * len(pairs)
    assert not any(births(a) & births(b) - {"1900-01-01"} for a, b in pairs)
    suffixes = {record.held.suffix for pair in pairs for story in pair for record in story.records}
    assert suffixes == {None, "Jr", "Sr"}


def test_twins_share_birth_date_and_address_but_no_given_name(told: list[Story]) -> None:
    pairs = [(a, b) for a, b in neighbours(told, "twins") if births(a) & births(b)]
    assert len(pairs) > 10
    assert not any(names(a) & names(b) for a, b in pairs)


def test_a_person_of_both_brands_is_two_customers(told: list[Story]) -> None:
    pairs = [(a, b) for a, b in neighbours(told, "both_brands") if b.realm == SOUTH and births(a) & births(b)]
    assert len(pairs) > 20
    assert all(a.cluster != b.cluster and a.realm != b.realm for a, b in pairs)


def test_sites_of_an_organization_share_its_registration_at_several_addresses(told: list[Story]) -> None:
    organizations = [story for story in told if story.kind == "organization"]
    spread = [story for story in organizations if len(houses(story)) > 1]
    assert len(spread) > 20
    for story in spread:
        registrations = [record.held.registration for record in story.records if record.held.registration]
        assert len(set(registrations)) <= 1 or len(registrations) > len(set(registrations))  # but for a wrong digit


def test_a_shop_phone_is_typed_for_many_unrelated_customers(told: list[Story]) -> None:
    users = users_of_phones(told)
    assert max(len(clusters) for clusters in users.values()) >= 8


def test_families_share_phones_and_numbers_go_to_other_customers_later(told: list[Story]) -> None:
    shared = [clusters for clusters in users_of_phones(told).values() if 2 <= len(clusters) <= 3]
    distances = [max(clusters) - min(clusters) for clusters in shared]
    assert sum(distance <= 2 for distance in distances) > 100  # landlines, spouses' mobiles
    assert sum(distance > 100 for distance in distances) > 3  # recycled


def users_of_phones(told: list[Story]) -> dict[str, set[int]]:
    users = defaultdict(set)
    for number, story in enumerate(told):
        for record in story.records:
            for phone in (record.held.mobile, record.held.landline):
                if phone and phone.startswith("+"):
                    users[phone].add(number)
    return users
