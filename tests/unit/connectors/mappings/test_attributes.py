from __future__ import annotations

import pytest
from msgspec import UNSET

from connectors.mappings.elements import MAX_ELEMENTS
from schemas.canonical import Account, Address, Consent, Email, Identification, Name, Phone
from streams.engine.contract import RejectedError
from tests.unit.connectors.mappings.support import HEAD, attributes, named

PATCH = f"{HEAD}\noperation: patch"


def test_flat_columns_become_the_elements_of_a_list() -> None:
    text = "names:\n- {given: first, family: last, use: {constant: legal}}\n- {given: nick, use: {constant: alias}}"
    found = attributes(text, {"first": "John", "last": "Smith", "nick": "Jack"})
    assert found.names == [Name(given="John", family="Smith", use="legal"), Name(given="Jack", use="alias")]


def test_an_element_of_nothing_but_labels_and_constants_is_dropped() -> None:
    text = "names: {given: first, use: {constant: legal}, suffix: suffix}\nidentifications: {type: type, value: number}"
    assert named(attributes(text, {"first": " ", "suffix": "Jr", "type": "passport", "number": None})) == {
        "names": None,
        "identifications": None,
    }


def test_a_nested_list_becomes_a_list() -> None:
    number = "{path: no, transform: {phone: {default_region: /c}}}"
    text = f"phones: {{each: contact.phones, value: {number}, use: type, verified: ok}}"
    phones = [{"no": "020 7946 0018", "type": "home", "ok": True}, {"no": "", "type": "x"}, {"no": "112"}]
    assert attributes(text, {"c": "GB", "contact": {"phones": phones}}).phones == [
        Phone(value="+442079460018", raw="020 7946 0018", use="home", verified=True),
        Phone(value="112", raw="112"),
    ]


def test_an_object_counts_as_a_list_of_one_and_texts_are_items_of_their_own() -> None:
    text = "accounts: {each: account, id: no}\nemails: {each: mails, value: .}"
    found = attributes(text, {"account": {"no": 7}, "mails": ["a@b.c", "d@e.f"]})
    assert found.accounts == [Account(id="7")]
    assert found.emails == [Email(value="a@b.c", raw="a@b.c"), Email(value="d@e.f", raw="d@e.f")]


def test_raw_keeps_what_the_source_wrote_unless_the_mapping_says_otherwise() -> None:
    assert attributes("emails: {value: {path: m, transform: email}}", {"m": " John@X.org "}).emails == [
        Email(value="john@x.org", raw="John@X.org")
    ]
    assert attributes("emails: {value: {path: m, transform: email}}", {"m": "n/a"}).emails == [Email(raw="n/a")]
    assert attributes("identifications: {value: m, raw: r}", {"m": "1", "r": "one"}).identifications == [
        Identification(value="1", raw="one")
    ]


def test_one_line_is_taken_apart_and_constants_win() -> None:
    found = attributes(
        "names: {split_name: line, prefix: {constant: X}}\naddresses: {split_street: street, locality: town}",
        {"line": "Mr John Smith", "street": "12 High Street", "town": "Leeds"},
    )
    assert found.names == [Name(prefix="X", given="John", family="Smith")]
    assert found.addresses == [Address(house="12", street="High Street", locality="Leeds")]


def test_a_consent_refused_is_a_consent_but_one_not_asked_is_none() -> None:
    text = "consents: {purpose: {constant: marketing}, granted: ok}"
    assert attributes(text, {"ok": False}).consents == [Consent(purpose="marketing", granted=False)]
    assert attributes(text, {"ok": "yes"}).consents == [Consent(purpose="marketing", granted=True)]
    assert attributes(text, {"ok": None}).consents is None


def test_a_condition_chooses_between_elements() -> None:
    text = (
        "names:\n- {when: {path: kind, equals: P}, split_name: name}\n"
        "- {when: {path: kind, one_of: [C, D]}, organization: name}"
    )
    assert attributes(text, {"kind": "P", "name": "A B"}).names == [Name(given="A", family="B")]
    assert attributes(text, {"kind": "D", "name": "A B"}).names == [Name(organization="A B")]
    assert attributes(text, {"kind": "X", "name": "A B"}).names is None


def test_presence_is_a_condition() -> None:
    text = (
        "names:\n- {when: {path: org, present: true}, organization: org}\n"
        "- {when: {path: org, present: false}, split_name: name}"
    )
    assert attributes(text, {"org": "O", "name": "A B"}).names == [Name(organization="O")]
    assert attributes(text, {"org": None, "name": "A B"}).names == [Name(given="A", family="B")]


EVERYTHING = """birth_date: {path: born, transform: date}
gender: {path: sex, default: unknown}
kind: {constant: individual}
names: {given: person.first, family: person.last}
phones: {each: phones, value: .}
characteristics: {segment: segment, tier: tier}"""


def test_a_snapshot_names_every_mapped_attribute_and_absent_is_empty() -> None:
    assert named(attributes(EVERYTHING, {"segment": "s"})) == {
        "kind": "individual",
        "birth_date": None,
        "gender": "unknown",
        "names": None,
        "phones": None,
        "characteristics": {"segment": "s", "tier": None},
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, {}),
        ({"born": None}, {"birth_date": None}),
        ({"person": {"last": "S"}}, {"names": [Name(family="S")]}),
        ({"person": None}, {"names": None}),
        ({"person": {}}, {}),
        ({"phones": []}, {"phones": None}),
        ({"phones": None}, {"phones": None}),
        ({"sex": "f"}, {"gender": "f"}),
        ({"tier": None}, {"characteristics": {"tier": None}}),
    ],
)
def test_a_patch_names_what_the_event_names(event: dict[str, object], expected: dict[str, object]) -> None:
    assert named(attributes(EVERYTHING, event, PATCH)) == {"kind": "individual"} | expected


def test_a_patch_names_an_attribute_only_through_elements_whose_condition_holds() -> None:
    text = "names:\n- {split_name: line}\n- {when: {path: line, present: true}, given: nick}"
    assert attributes(text, {"nick": "Jo"}, PATCH).names is UNSET
    assert attributes(text, {"nick": "Jo", "line": "A B"}, PATCH).names == [Name(given="A", family="B"), Name(given="Jo")]


def test_attributes_may_be_relative_to_a_root() -> None:
    head = f"{PATCH}\nroot: a.changes"
    found = attributes("gender: sex\nstatus: /state", {"state": "on", "a": {"changes": {"sex": "f"}}}, head)
    assert named(found) == {"gender": "f", "status": "on"}
    with pytest.raises(RejectedError, match="bad-value: mapping test, root"):
        attributes("gender: sex", {"a": {}}, head)


@pytest.mark.parametrize(
    ("text", "event", "reason", "detail"),
    [
        ("birth_date: {path: d, transform: date}", {"d": "31.31"}, "bad-date", "attribute birth_date: not a date"),
        ("names: {given: a}", {"a": {"secret": 1}}, "bad-value", "attribute names: path a: text or a number was expected"),
        (
            "names: {given: a.b}",
            {"a": "secret"},
            "bad-value",
            "attribute names: path a.b: an object was expected before 'b'",
        ),
        ("kind: a", {"a": "secret"}, "bad-value", "attribute kind: not one of individual, organization"),
        (
            "phones: {each: a, value: .}",
            {"a": ["1"] * (MAX_ELEMENTS + 1)},
            "too-large",
            "phones: path a: more than 1,000 elements",
        ),
        ("characteristics: {x: a}", {"a": "y" * 10_001}, "too-large", "attribute x: path a: longer than 10,000 characters"),
        (
            "consents: {purpose: p, granted: a}",
            {"p": "x", "a": "secret"},
            "bad-value",
            "consents: true or false was expected",
        ),
    ],
)
def test_what_does_not_fit_rejects_the_event_and_names_the_place_but_not_the_value(
    text: str, event: dict[str, object], reason: str, detail: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        attributes(text, event)
    assert caught.value.reason == reason
    assert caught.value.detail.startswith("mapping test, attribute ")
    assert detail in caught.value.detail
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("written", ["infinity", "-infinity", "Infinity"])
def test_a_date_at_infinity_is_no_date(written: str) -> None:
    text = (
        "consents: {purpose: {constant: news}, granted: yes, at: at}\naddresses: {street: s, valid_to: {first: [none, at]}}"
    )
    found = attributes(text, {"yes": True, "at": written, "s": "High Street"})
    assert found.consents == [Consent(purpose="news", granted=True)]
    assert found.addresses == [Address(street="High Street")]


@pytest.mark.parametrize(("attribute", "event"), [("names", {"person": "Ada"}), ("status", {"state": "active"})])
def test_a_patch_that_goes_through_what_is_no_object_is_refused_with_its_attribute(
    attribute: str, event: dict[str, object]
) -> None:
    with pytest.raises(RejectedError, match=rf"attribute {attribute}: path .* an object was expected"):
        attributes("names: {given: person.first}\nstatus: state.now", event, PATCH)
