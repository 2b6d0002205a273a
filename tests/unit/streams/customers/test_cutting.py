"""Views and changes always fit one message: what is too large is cut, said so, and published."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.canonical import LIST_ATTRIBUTES, Address, Attributes, Consent, Identification, Name, Part, Phone
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW, LARGEST_PUBLIC_BYTES
from streams.customers.cutting import IDS, TEXT_BYTES
from streams.customers.rows import CUSTOMER_ROW, customer_key, read_row
from tests.unit.streams.customers.parts import Bench, attached, changed, entity, updated

LONG = 9_000
"""Characters: nearly the longest text that a mapping takes."""


def largest(of: type[Part], text: str, number: int) -> list[Part]:
    """Elements that differ, all of whose texts are long."""
    return [
        of(**{field: f"{number}{i:05}{text}" for field in of.__struct_fields__ if field not in {"verified", "granted"}})
        for i in range(number)
    ]


def says(number: int, text: str) -> Attributes:
    stated: dict[str, Any] = {name: largest(of, text, number) for name, of in LIST_ATTRIBUTES.items()}
    stated |= dict.fromkeys(("status", "birth_date", "gender"), text)
    stated["characteristics"] = {f"{i:04}{text[:500]}": text for i in range(number)}
    return Attributes(kind="individual", **stated)


def largest_sent(bench: Bench) -> int:
    return max(len(each.value or b"") for topic in (CUSTOMER_VIEW, CUSTOMER_CHANGES) for each in bench.out.on(topic))


@pytest.mark.parametrize("letter", ["x", "\x01", "\U0001f642"])
@pytest.mark.parametrize(("number", "size"), [(1, LONG), (6, 3_000), (150, 60), (12, LONG)])
def test_whatever_members_say_the_view_and_its_changes_fit(number: int, size: int, letter: str) -> None:
    bench = Bench()
    records = [f"north/crm/{'k' * 250}{n}" for n in range(2)]
    content = says(number, letter * size)
    bench.give(*(attached(record, content) for record in records), entity(records))
    assert largest_sent(bench) <= LARGEST_PUBLIC_BYTES
    (view,) = bench.views()
    assert view.attributes.phones
    other = says(number, letter * (size - 1) + "y")
    bench.give(*(updated(record, other, sequence=2) for record in records))
    assert largest_sent(bench) <= LARGEST_PUBLIC_BYTES


@pytest.fixture
def huge() -> Bench:
    """A customer of eight records of 0.9 MB each."""
    bench = Bench()
    texts = [[f"{record}{i:04}{'x' * (LONG - 6)}" for i in range(100)] for record in range(8)]
    kinds = [
        lambda values: Attributes(phones=[Phone(value=value, raw=value) for value in values]),
        lambda values: Attributes(addresses=[Address(street=value) for value in values]),
        lambda values: Attributes(consents=[Consent(purpose=value, granted=True) for value in values]),
        lambda values: Attributes(identifications=[Identification(type=value, value="A1") for value in values]),
    ]
    records = [f"north/crm/{record}" for record in range(8)]
    bench.give(
        *(attached(record, kinds[n % 4](texts[n]), time=n) for n, record in enumerate(records)),
        attached("north/crm/9", Attributes(names=[Name(given="Ada")], status="new"), time=1),
        entity([*records, "north/crm/9"]),
    )
    return bench


def test_a_customer_of_many_large_records_is_published_cut_and_says_so(huge: Bench) -> None:
    (view,) = huge.views()
    assert view.cut == ("addresses", "consents", "identifications", "phones")
    assert view.attributes.totals["phones"] == 200
    assert 0 < len(view.attributes.phones) < 200
    assert view.attributes.phones[0].value.value.startswith("00000")
    assert len(view.attributes.phones[0].value.value) <= TEXT_BYTES
    assert view.member_count == 9


def test_later_changes_of_such_a_customer_are_published(huge: Bench) -> None:
    (change,) = huge.give(updated("north/crm/9", Attributes(names=[Name(given="Ada")], status="gold"), sequence=2))
    assert changed(change)["status"] == ('"new"', '"gold"')
    assert not change.changes[0].cut
    assert huge.views()[0].cut == ("addresses", "consents", "identifications", "phones")


def test_once_it_is_small_again_nothing_is_cut(huge: Bench) -> None:
    for record in range(8):
        (*_, change) = huge.give(updated(f"north/crm/{record}", Attributes(phones=[Phone(value="1", raw="1")]), sequence=2))
    view = huge.views()[-1]
    assert view.cut == ()
    assert view.attributes.totals == {}
    assert view.attributes.addresses == ()
    assert change.cut is False


def test_a_change_of_what_is_cut_says_so_and_is_still_json(huge: Bench) -> None:
    phones = [Phone(value=f"0{'y' * LONG}{i}") for i in range(100)]
    (change,) = huge.give(updated("north/crm/0", Attributes(phones=phones), sequence=2))
    (part,) = change.changes
    assert (part.attribute, part.cut) == ("phones", True)
    assert len(msgspec.json.decode(part.before or "")) < 200
    assert len(msgspec.json.decode(part.after or "")) < 200


def test_one_long_text_among_little_is_published_whole() -> None:
    bench = Bench()
    bench.give(attached("north/crm/1", Attributes(characteristics={"note": "n" * LONG})), entity(["north/crm/1"]))
    (view,) = bench.views()
    assert len(view.attributes.characteristics["note"].value) == LONG
    assert view.cut == ()


def test_a_list_beyond_the_limit_of_its_rule_is_among_what_is_cut() -> None:
    bench = Bench()
    bench.give(
        attached("north/crm/1", Attributes(phones=[Phone(value=str(n)) for n in range(300)])), entity(["north/crm/1"])
    )
    (view,) = bench.views()
    assert view.cut == ("phones",)
    assert view.attributes.totals == {"phones": 300}


def test_a_huge_characteristic_is_left_out_alone() -> None:
    bench = Bench()
    stated = {"a": "1", "b" * 200_000: "2", "c": "3"}
    bench.give(attached("north/crm/1", Attributes(characteristics=dict(stated))), entity(["north/crm/1"]))
    (view,) = bench.views()
    assert list(view.attributes.characteristics) == ["a", "c"]
    assert view.attributes.totals == {"characteristics": 3}
    assert bench.give(updated("north/crm/1", Attributes(characteristics={"a": "1", "c": "3"}), sequence=2)) == []
    (view,) = bench.views()
    assert (view.cut, view.attributes.totals) == ((), {})


def test_ids_beyond_those_listed_are_flagged() -> None:
    bench = Bench()
    bench.give(attached("north/crm/1", Attributes(status="a")), entity(["north/crm/1"]))
    absorbed = tuple(f"c{n:05}" for n in range(IDS + 1))
    (change,) = bench.give(
        attached("north/crm/2", Attributes(status="a")), entity(["north/crm/1", "north/crm/2"], epoch=2, absorbed=absorbed)
    )
    assert change.absorbed == absorbed[:IDS]
    assert change.cut


def test_a_view_published_uncut_by_an_older_release_is_cut_when_next_published() -> None:
    bench = Bench()
    bench.give(attached("north/crm/1", Attributes(status="a")), entity(["north/crm/1"]))
    row = read_row(bench.store, "c1")
    assert row is not None
    published = row.published
    assert published is not None
    row.keep(msgspec.structs.replace(published, pieces={**published.pieces, "phones": b"\0" * 3_000_000}))
    bench.store.put(customer_key("c1"), CUSTOMER_ROW.encode(row))
    bench.give(updated("north/crm/1", Attributes(status="b"), sequence=2))
    assert largest_sent(bench) < 1_000
    assert bench.views()[0].attributes.phones == ()
