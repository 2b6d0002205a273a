"""Which values survive."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from schemas.canonical import ATTRIBUTES, Address, Attributes, Consent, Email, Identification, Name, Phone
from schemas.documents import parse_document
from schemas.view import ViewAttributes
from streams.survivorship import MemberContent, Rules, Survivorship, default_rules


def member(source: str, time: int, **stated: object) -> MemberContent:
    attributes = Attributes(**stated)  # type: ignore[arg-type]
    keys = [f"characteristics.{key}" for key in attributes.characteristics or {}]
    return MemberContent(f"north/{source}/1", attributes, dict.fromkeys([*ATTRIBUTES, *keys], time))


def reconcile(rules: str, *members: MemberContent) -> ViewAttributes:
    """The view's attributes, the same for every order of the members."""
    survivorship = Survivorship(parse_document(f"version: t\n{rules}", Rules, "rules.yaml"))
    (view,) = {
        repr(survivorship.reconcile(order)): survivorship.reconcile(order) for order in permutations(members)
    }.values()
    return view


class TestOneValue:
    def test_the_most_recent_is_the_one_with_the_newest_event_time(self) -> None:
        view = reconcile("", member("crm", 1, status="old"), member("billing", 2, status="new"))
        assert view.status is not None
        assert view.status.value == "new"
        assert (view.status.provenance.record, view.status.provenance.time) == ("north/billing/1", 2)
        assert view.status.provenance.rule == "most_recent"

    def test_source_priority_takes_the_first_source_that_states_a_value(self) -> None:
        rules = "sources: [crm, billing]\nattributes: {status: {strategy: source_priority}}"
        view = reconcile(
            rules, member("crm", 1, status=""), member("billing", 1, status="b"), member("other", 9, status="o")
        )
        assert view.status is not None
        assert view.status.value == "b"

    def test_a_rule_may_have_its_own_sources(self) -> None:
        rules = "sources: [crm, billing]\nattributes: {status: {strategy: source_priority, sources: [billing]}}"
        view = reconcile(rules, member("crm", 9, status="c"), member("billing", 1, status="b"))
        assert view.status is not None
        assert view.status.value == "b"

    def test_the_longest_says_most(self) -> None:
        rules = "attributes: {birth_date: {strategy: longest}}"
        view = reconcile(rules, member("crm", 9, birth_date="1980"), member("billing", 1, birth_date="1980-05-17"))
        assert view.birth_date is not None
        assert view.birth_date.value == "1980-05-17"

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_empty_values_are_no_candidates(self, nothing: str | None) -> None:
        view = reconcile("", member("crm", 1, status="a"), member("billing", 2, status=nothing), member("orders", 3))
        assert view.status is not None
        assert view.status.value == "a"

    def test_no_value_at_all_leaves_the_attribute_out(self) -> None:
        assert reconcile("", member("crm", 1)) == ViewAttributes()

    def test_tie_breakers_come_in_their_order(self) -> None:
        rules = "attributes: {status: {strategy: most_recent, then: [longest]}}\nsources: [crm]"
        view = reconcile(
            rules, member("crm", 1, status="ab"), member("billing", 1, status="abc"), member("x", 0, status="abcd")
        )
        assert view.status is not None
        assert view.status.value == "abc"

    def test_the_last_resort_is_source_and_then_record_key(self) -> None:
        same_time = [member("b", 1, status="b"), member("c", 1, status="c"), member("a", 1, status="a")]
        by_key, by_source = reconcile("", *same_time).status, reconcile("sources: [c]", *same_time).status
        assert (by_key and by_key.value, by_source and by_source.value) == ("a", "c")

    def test_records_that_agree_are_named(self) -> None:
        members = [
            member("crm", 3, status="a"),
            member("x", 1, status="a"),
            member("y", 2, status="a"),
            member("z", 1, status="b"),
        ]
        view = reconcile("", *members)
        assert view.status is not None
        assert (view.status.provenance.count, view.status.provenance.also) == (3, ("north/x/1", "north/y/1"))


class TestCharacteristics:
    def test_each_key_has_its_own_rule_and_time(self) -> None:
        rules = 'sources: [crm]\ncharacteristics: {segment: {strategy: source_priority}, "*": {strategy: longest}}'
        crm = member("crm", 1, characteristics={"segment": "gold", "tier": "1", "gone": None})
        other = member("billing", 2, characteristics={"segment": "silver", "tier": "22"})
        view = reconcile(rules, crm, other)
        assert {key: found.value for key, found in view.characteristics.items()} == {"segment": "gold", "tier": "22"}
        assert view.characteristics["segment"].provenance.time == 1


class TestUnion:
    def test_the_same_phone_from_three_systems_is_one_with_all_its_records(self) -> None:
        phones = [member(source, 1, phones=[Phone(value="+4470", raw=source)]) for source in ("crm", "billing", "selfcare")]
        (phone,) = reconcile("", *phones).phones
        assert phone.provenance.count == 3
        assert {phone.provenance.record, *phone.provenance.also} == {"north/crm/1", "north/billing/1", "north/selfcare/1"}

    def test_verified_beats_unverified_whatever_the_source_and_time(self) -> None:
        crm = member("crm", 9, emails=[Email(value="a@x.org", raw="crm")])
        selfcare = member("selfcare", 1, emails=[Email(value="A@x.org ", raw="selfcare", verified=True)])
        (email,) = reconcile("sources: [crm]", crm, selfcare).emails
        assert email.value == Email(value="A@x.org ", raw="selfcare", verified=True)

    def test_verified_and_trusted_elements_come_first(self) -> None:
        crm = member("crm", 1, emails=[Email(value="c@x.org")])
        other = member("other", 9, emails=[Email(value="o@x.org"), Email(value="v@x.org", verified=True)])
        view = reconcile("sources: [crm]", other, crm)
        assert [email.value.value for email in view.emails] == ["v@x.org", "c@x.org", "o@x.org"]

    def test_the_order_does_not_move_when_a_record_repeats_itself(self) -> None:
        def order(time: int) -> list[str]:
            x, y = member("x", time, emails=[Email(value="x@x.org")]), member("y", 5, emails=[Email(value="y@x.org")])
            return [email.value.value for email in reconcile("", x, y).emails]

        assert order(1) == order(9)

    def test_an_address_is_never_mixed_from_two_sources(self) -> None:
        crm = member("crm", 1, addresses=[Address(house="1", street="High St", postcode="LS1", raw="crm")])
        billing = member(
            "billing", 2, addresses=[Address(house="1", street="HIGH  ST", postcode="LS1", unit="", raw="billing")]
        )
        view = reconcile("", crm, billing)
        (address,) = view.addresses
        stated = [crm.attributes.addresses[0], billing.attributes.addresses[0]]  # type: ignore[index]
        assert address.value in stated
        assert view.address is not None
        assert view.address.value == stated[1]

    def test_elements_that_differ_in_a_key_field_are_two(self) -> None:
        ids = [Identification(type="passport", issuer=issuer, value="1") for issuer in ("GB", "FR")]
        assert len(reconcile("", member("crm", 1, identifications=ids)).identifications) == 2

    def test_the_key_may_be_declared(self) -> None:
        ids = [Identification(type="passport", issuer=issuer, value="1") for issuer in ("GB", "FR")]
        rules = "attributes: {identifications: {strategy: union, key: [value]}}"
        (only,) = reconcile(rules, member("crm", 1, identifications=ids)).identifications
        assert only.value.issuer == "GB"

    def test_the_latest_consent_wins_by_its_own_date(self) -> None:
        granted = member("selfcare", 9, consents=[Consent(purpose="ads", granted=True, at="2023-01-01")])
        refused = member("crm", 1, consents=[Consent(purpose="ads", granted=False, at="2024-01-01")])
        (consent,) = reconcile("", granted, refused).consents
        assert consent.value.granted is False

    def test_dates_with_different_zones_are_compared_as_instants(self) -> None:
        granted = member("selfcare", 9, consents=[Consent(purpose="ads", granted=True, at="2024-06-01T09:30:00+02:00")])
        refused = member("crm", 1, consents=[Consent(purpose="ads", granted=False, at="2024-06-01T08:00:00Z")])
        (consent,) = reconcile("sources: [selfcare]", granted, refused).consents
        assert consent.value.granted is False

    def test_a_rule_without_a_date_of_its_own_has_that_of_the_default(self) -> None:
        granted = member("crm", 1, consents=[Consent(purpose="ads", granted=True, at="2020-01-01")])
        refused = member("selfcare", 2, consents=[Consent(purpose="ads", granted=False, at="2024-01-01")])
        rules = "sources: [crm]\nattributes: {consents: {strategy: union, limit: 100}}"
        (consent,) = reconcile(rules, granted, refused).consents
        assert consent.value.granted is False

    def test_a_record_that_grants_a_consent_does_not_state_its_withdrawal(self) -> None:
        def consent(source: str, at: str, *, granted: bool) -> MemberContent:
            return member(source, 1, consents=[Consent(purpose="ads", granted=granted, at=at)])

        newest, older = consent("crm", "2024", granted=False), consent("billing", "2023", granted=False)
        (stated,) = reconcile("", newest, older, consent("selfcare", "2022", granted=True)).consents
        assert (stated.provenance.record, stated.provenance.count) == ("north/crm/1", 2)
        assert stated.provenance.also == ("north/billing/1",)

    def test_elements_without_key_fields_are_told_apart_by_their_raw_text(self) -> None:
        phones = [Phone(raw="call me"), Phone(raw="at work"), Phone(raw="Call  me"), Phone()]
        assert len(reconcile("", member("crm", 1, phones=phones)).phones) == 2

    def test_a_long_list_is_cut_and_its_length_told(self) -> None:
        emails = [Email(value=f"{n:03}@x.org") for n in range(10)]
        view = reconcile("attributes: {emails: {limit: 4}}", member("crm", 1, emails=emails))
        assert (len(view.emails), dict(view.totals)) == (4, {"emails": 10})

    def test_another_strategy_takes_one_records_list_whole(self) -> None:
        rules = "attributes: {emails: {strategy: most_recent}}"
        old = member("crm", 1, emails=[Email(value="a@x.org")])
        new = member("billing", 2, emails=[Email(value="c@x.org"), Email(value="b@x.org")])
        view = reconcile(rules, old, new)
        assert [email.value.value for email in view.emails] == ["c@x.org", "b@x.org"]

    def test_the_longest_list_says_most_over_all_its_elements(self) -> None:
        rules = "sources: [crm]\nattributes: {emails: {strategy: longest, limit: 1}}"
        crm = member("crm", 9, emails=[Email(value="a@x.org", raw="a long raw text is not what is said")])
        billing = member("billing", 2, emails=[Email(value="c@x.org"), Email(value="b@x.org")])
        view = reconcile(rules, crm, billing)
        assert [email.value.value for email in view.emails] == ["c@x.org"]
        assert view.totals == {"emails": 2}


class TestBestOf:
    LEGAL, PREFERRED = Name(use="legal", given="John", family="Smith"), Name(use="preferred", given="Johnny")

    def test_the_legal_name_is_the_name_and_all_are_kept(self) -> None:
        survivorship = Survivorship(default_rules())
        view = survivorship.reconcile(
            [member("selfcare", 9, names=[self.PREFERRED]), member("orders", 1, names=[self.LEGAL])]
        )
        assert view.name is not None
        assert view.name.value == self.LEGAL
        assert {name.value for name in view.names} == {self.LEGAL, self.PREFERRED}

    def test_the_default_address_is_a_verified_one_before_a_newer_one(self) -> None:
        verified = Address(street="Mill Lane", verified=True)
        view = Survivorship(default_rules()).reconcile(
            [member("crm", 9, addresses=[Address(street="High St")]), member("selfcare", 1, addresses=[verified])]
        )
        assert view.address is not None
        assert view.address.value == verified
        assert len(view.addresses) == 2


def test_refreshing_only_what_changed_equals_reconciling_all() -> None:
    survivorship = Survivorship(default_rules())
    crm, billing = (
        member("crm", 1, status="a", emails=[Email(value="a@x.org")]),
        member("billing", 2, status="b", gender="f"),
    )
    before = survivorship.reconcile([crm, billing])
    renewed = member("billing", 2, status="b", gender="m")
    found = survivorship.refresh(before.totals, [crm, renewed], ["gender"])
    assert found.keys() == {"gender", "totals"}
    assert msgspec.structs.replace(before, **found) == survivorship.reconcile([crm, renewed])
