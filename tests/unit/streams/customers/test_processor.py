"""What `customers` publishes, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from schemas.canonical import Attributes, Email
from schemas.messages import CUSTOMERS, VERSION, UnknownVersionError, ViewDue
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW
from schemas.topics import CUSTOMERS as INBOX
from streams.customers import Customers, read_members, read_view
from streams.customers.processor import DUE_AGAIN_MS
from streams.customers.rows import member_key, read_row
from streams.engine.contract import DamagedStoreError, RejectedError, SourceStoppedError
from streams.survivorship import Rules, Survivorship
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.unit.streams.customers.parts import (
    LATER_MS,
    NOW,
    Bench,
    attached,
    cause,
    changed,
    detached,
    entity,
    grown,
    updated,
)

CRM, BILLING = "north/crm/1", "north/billing/7"
ANN = Attributes(kind="individual", status="active", emails=[Email(value="ann@x.org")])
ANN_TOO = Attributes(status="active", emails=[Email(value="ann@x.org")], gender="f")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def settled(bench: Bench) -> Bench:
    bench.give(attached(CRM, ANN), entity([CRM]))
    return bench


class TestWhenItPublishes:
    def test_nothing_before_identity_has_told_the_members(self, bench: Bench) -> None:
        assert bench.give(attached(CRM, ANN)) == []
        assert bench.views() == []

    def test_a_create_event_and_a_view_when_the_members_are_complete(self, bench: Bench) -> None:
        (change,) = bench.give(attached(CRM, ANN), entity([CRM]))
        assert (change.event_id, change.event_type, change.version) == ("c1:1", "CustomerCreateEvent", 1)
        assert changed(change)["emails"] == (None, '[{"value":"ann@x.org"}]')
        (view,) = bench.views()
        assert (view.status, view.version, view.members, view.member_count) == ("active", 1, (CRM,), 1)
        assert view.attributes.emails[0].provenance.record == CRM

    def test_at_once_when_the_record_brings_what_is_expected(self, bench: Bench) -> None:
        (created,) = bench.give(attached(CRM, ANN, grown=grown([CRM])))
        (joined,) = bench.give(attached(BILLING, ANN_TOO, grown=grown([CRM, BILLING], epoch=2, aliases=("c2",))))
        assert (created.event_type, created.cause_count) == ("CustomerCreateEvent", 1)
        assert changed(joined)["aliases"] == (None, '["c2"]')

    def test_what_a_record_brings_is_ignored_if_something_newer_is_known(self, bench: Bench) -> None:
        settled(bench)
        bench.give(entity([CRM], epoch=3))
        assert bench.give(attached(BILLING, ANN, grown=grown([CRM, BILLING], epoch=2))) == []
        (change,) = bench.give(entity([CRM, BILLING], epoch=4))
        assert change.version == 2

    def test_what_a_record_brings_is_kept_though_its_content_is_older(self, bench: Bench) -> None:
        bench.give(attached(CRM, ANN, sequence=2))
        (change,) = bench.give(attached(CRM, ANN_TOO, sequence=1, grown=grown([CRM])))
        assert changed(change)["kind"] == (None, '"individual"')

    def test_half_of_a_merge_is_never_seen(self, bench: Bench) -> None:
        settled(bench)
        assert bench.give(entity([CRM, BILLING], epoch=2, aliases=("c2",), absorbed=("c2",))) == []
        assert bench.give(updated(CRM, ANN_TOO)) == []
        (change,) = bench.give(attached(BILLING, ANN))
        assert change.event_type == "CustomerMergeEvent"
        assert change.cause_count == 3

    def test_a_digest_that_differs_waits_although_the_count_agrees(self, bench: Bench) -> None:
        assert bench.give(attached(CRM, ANN), entity([BILLING])) == []

    def test_an_update_of_a_settled_customer_at_once(self, bench: Bench) -> None:
        settled(bench)
        (change,) = bench.give(updated(CRM, ANN_TOO))
        assert change.event_type == "CustomerAttributeValueChangeEvent"
        assert dict(changed(change)) == {"kind": ('"individual"', None), "gender": (None, '"f"')}

    def test_no_event_and_no_version_when_the_content_is_the_same(self, bench: Bench) -> None:
        settled(bench)
        assert bench.give(updated(CRM, ANN, time=1000)) == []
        assert bench.views() == []

    def test_provenance_alone_renews_the_view_but_is_no_transition(self, bench: Bench) -> None:
        settled(bench)
        assert bench.give(updated(CRM, ANN, time=2000)) == []
        (view,) = bench.views()
        assert view.version == 1
        assert view.attributes.emails[0].provenance.time == 2000

    def test_versions_go_up_by_one_without_gaps(self, bench: Bench) -> None:
        settled(bench)
        versions = [
            change.version
            for n in range(2, 8)
            for change in bench.give(updated(CRM, Attributes(gender=str(n // 2)), sequence=n))
        ]
        assert versions == [2, 3, 4]  # gender 1, 2 and 3, each stated twice

    def test_new_rules_take_effect_with_the_next_message(self, bench: Bench) -> None:
        bench.give(attached(CRM, ANN), attached(BILLING, Attributes(status="closed"), time=5000), entity([CRM, BILLING]))
        other = Bench(store=bench.store, survivorship=Survivorship(Rules(version="2")))
        (change,) = other.give(updated(BILLING, Attributes(status="closed", gender="f"), time=5000))
        assert changed(change)["status"] == ('"active"', '"closed"')
        assert change.rules_version.startswith("2+")

    def test_pieces_of_another_schema_are_made_anew(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        settled(bench)
        bench.give(updated(CRM, ANN_TOO))
        (before,) = bench.views()
        with monkeypatch.context() as newer:
            newer.setattr(PublicCodec, "format", "another")
            newer.setattr(PublicCodec, "encode_attribute", lambda _, name, value: name.encode() if value else b"")
            newer.setattr(PublicCodec, "encode_pieces", lambda _, view, pieces: b"")
            bench.processor.process(message(CUSTOMERS.encode(updated(CRM, ANN, sequence=3))), bench.store, bench.out)
            row = read_row(bench.store, "c1")
            assert row is not None
            assert row.published is not None
            assert all(piece == name.encode() for name, piece in row.published.pieces.items())
        with pytest.raises(UnknownVersionError):
            read_view(bench.store, "c1", bench.codec)
        (change,) = bench.give(updated(CRM, ANN_TOO, sequence=4))
        assert changed(change).keys() == {"kind", "gender"}
        (after,) = bench.views()
        assert after.attributes.gender is not None
        assert (after.attributes.gender.value, after.version) == ("f", before.version + 2)
        assert [email.value for email in after.attributes.emails] == [email.value for email in before.attributes.emails]


class TestOrder:
    def test_an_older_or_equal_sequence_is_ignored(self, bench: Bench) -> None:
        settled(bench)
        bench.give(updated(CRM, ANN_TOO, sequence=5))
        assert bench.give(updated(CRM, ANN, sequence=5)) == []
        assert bench.give(updated(CRM, ANN, sequence=4)) == []

    def test_an_older_sequence_is_ignored_also_after_a_detach(self, bench: Bench) -> None:
        settled(bench)
        bench.give(detached(CRM, sequence=5), entity([], epoch=2))
        assert bench.give(attached(CRM, ANN, sequence=4), entity([CRM], epoch=3)) == []
        assert list(read_members(bench.store, "c1")) == []

    def test_an_older_or_equal_epoch_is_ignored(self, bench: Bench) -> None:
        bench.give(attached(CRM, ANN), entity([CRM], epoch=4))
        assert bench.give(entity([BILLING], epoch=4), entity([BILLING], epoch=3)) == []
        (change,) = bench.give(updated(CRM, ANN_TOO))
        assert change.version == 2

    def test_a_detach_of_a_record_never_held_is_remembered(self, bench: Bench) -> None:
        assert bench.give(detached(CRM, sequence=3), attached(CRM, ANN, sequence=2), entity([CRM])) == []


class TestEventTypes:
    def test_a_changed_status_is_a_state_change(self, bench: Bench) -> None:
        settled(bench)
        (change,) = bench.give(updated(CRM, msgspec.structs.replace(ANN, status="suspended", gender="f")))
        assert change.event_type == "CustomerStateChangeEvent"
        assert changed(change)["status"] == ('"active"', '"suspended"')
        assert "gender" in changed(change)

    def test_the_last_member_gone_is_a_delete_without_personal_values(self, bench: Bench) -> None:
        settled(bench)
        (change,) = bench.give(detached(CRM), entity([], epoch=2))
        assert (change.event_type, change.status, change.version) == ("CustomerDeleteEvent", "deleted", 2)
        assert set(changed(change)) == {"members"}
        (view,) = bench.views()
        assert view.status == "deleted"
        assert all(b"ann@x.org" not in (sent.value or b"") for sent in bench.out.sent)
        assert all(b"ann@x.org" not in row for row in bench.store.rows.values())

    def test_a_merged_id_becomes_a_redirect(self, bench: Bench) -> None:
        settled(bench)
        (change,) = bench.give(entity([], epoch=2, merged_into="c9"), detached(CRM))
        assert (change.event_type, change.merged_into) == ("CustomerMergeEvent", "c9")
        (view,) = bench.views()
        assert (view.status, view.merged_into, view.member_count) == ("merged", "c9", 0)

    def test_a_redirect_that_moves_on_is_told_again(self, bench: Bench) -> None:
        settled(bench)
        bench.give(entity([], epoch=2, merged_into="c9"), detached(CRM))
        (change,) = bench.give(entity([], epoch=3, merged_into="c10"))
        assert (change.version, change.merged_into) == (3, "c10")

    def test_the_survivor_tells_whom_it_absorbed(self, bench: Bench) -> None:
        settled(bench)
        (change,) = bench.give(
            attached(BILLING, ANN_TOO), entity([CRM, BILLING], epoch=2, aliases=("c2",), absorbed=("c2",))
        )
        assert (change.event_type, change.absorbed) == ("CustomerMergeEvent", ("c2",))
        assert changed(change)["aliases"] == (None, '["c2"]')

    def test_the_one_who_stays_tells_the_split(self, bench: Bench) -> None:
        bench.give(attached(CRM, ANN), attached(BILLING, ANN_TOO), entity([CRM, BILLING]))
        (change,) = bench.give(entity([CRM], epoch=2, split_to=("c2",)), detached(BILLING))
        assert (change.event_type, change.split_to) == ("CustomerSplitEvent", ("c2",))

    def test_a_new_id_from_a_split_is_created_and_tells_where_from(self, bench: Bench) -> None:
        (change,) = bench.give(entity([CRM], split_from="c0"), attached(CRM, ANN))
        assert (change.event_type, change.split_from) == ("CustomerCreateEvent", "c0")

    def test_an_id_that_takes_its_members_back_tells_the_split(self, bench: Bench) -> None:
        settled(bench)
        bench.give(entity([], epoch=2, merged_into="c9"), detached(CRM))
        (change,) = bench.give(attached(CRM, ANN, sequence=10), entity([CRM], epoch=3, split_from="c9"))
        assert (change.event_type, change.status, change.split_from) == ("CustomerSplitEvent", "active", "c9")
        assert changed(change)["emails"] == (None, '[{"value":"ann@x.org"}]')

    def test_a_deleted_customer_that_returns_is_a_state_change(self, bench: Bench) -> None:
        settled(bench)
        bench.give(detached(CRM), entity([], epoch=2))
        (change,) = bench.give(attached(CRM, ANN, sequence=10), entity([CRM], epoch=3))
        assert (change.event_type, change.version) == ("CustomerStateChangeEvent", 3)

    def test_a_customer_nobody_saw_is_not_deleted(self, bench: Bench) -> None:
        assert bench.give(attached(CRM, ANN), detached(CRM), entity([], epoch=2)) == []
        assert bench.views() == []

    def test_what_a_transition_told_is_not_told_again(self, bench: Bench) -> None:
        settled(bench)
        bench.give(attached(BILLING, ANN), entity([CRM, BILLING], epoch=2, aliases=("c2",), absorbed=("c2",)))
        (change,) = bench.give(updated(CRM, ANN_TOO))
        assert (change.event_type, change.absorbed, change.cause_count) == ("CustomerAttributeValueChangeEvent", (), 1)


class TestTimesAndCauses:
    def test_processing_time_is_the_messages_and_event_time_the_newest_causes(self, bench: Bench) -> None:
        (change,) = bench.give(attached(CRM, ANN, time=7000), entity([CRM]), at=NOW + 5)
        assert (change.processing_time, change.event_time) == (NOW + 5, 7000)
        (view,) = bench.views()
        assert (view.processed_at, view.event_time) == (NOW + 5, 7000)

    def test_one_event_is_one_cause_however_many_messages_it_led_to(self, bench: Bench) -> None:
        one = cause("src/1/1")
        bench.give(attached(CRM, ANN, because=one), attached(BILLING, ANN, because=one))
        (change,) = bench.give(entity([CRM, BILLING]))
        assert ([each.ref for each in change.causes], change.cause_count) == (["src/1/1"], 1)

    def test_the_newest_causes_are_kept_and_all_are_counted(self, bench: Bench) -> None:
        messages = [updated(CRM, ANN, sequence=n, because=cause(f"src/0/{n}")) for n in range(1, 31)]
        (change,) = bench.give(*messages, entity([CRM]))
        assert change.cause_count == 31
        assert [each.ref for each in change.causes] == [f"src/0/{n}" for n in range(16, 31)] + ["src/1/1"]

    def test_the_trace_is_carried_on(self, bench: Bench) -> None:
        bench.give(attached(CRM, ANN, because=cause(trace="00-abc-1")), entity([CRM]))
        for topic in (CUSTOMER_VIEW, CUSTOMER_CHANGES):
            assert [sent.headers for sent in bench.out.on(topic)] == [(("traceparent", b"00-abc-1"),)]


class TestManyMembers:
    SITES = tuple(f"north/crm/{n:04}" for n in range(100))

    def test_a_large_customer_is_published_once_for_what_came_together(self, bench: Bench) -> None:
        bench.give(*(attached(site, ANN) for site in self.SITES), entity(self.SITES))
        processor, out, version = bench.processor, RecordingOutbox(), read_view(bench.store, "c1", bench.codec)
        assert version is not None
        for n, site in enumerate(self.SITES[:50]):
            value = CUSTOMERS.encode(updated(site, Attributes(gender="f"), time=2000 + n))
            processor.process(message(value), bench.store, out)
        (to_itself,) = out.sent
        assert read_view(bench.store, "c1", bench.codec) == version
        processor.process(message(to_itself.value), bench.store, out)
        after = read_view(bench.store, "c1", bench.codec)
        assert after is not None
        assert after.version == version.version + 1
        assert after.attributes.gender is not None
        assert after.attributes.gender.provenance.count == 50

    def test_a_publication_that_was_lost_is_asked_for_again(self, bench: Bench) -> None:
        bench.give(*(attached(site, ANN) for site in self.SITES), entity(self.SITES))
        processor, out = bench.processor, RecordingOutbox()
        for n, at in enumerate((NOW, NOW + DUE_AGAIN_MS, NOW + DUE_AGAIN_MS + 1)):
            value = CUSTOMERS.encode(updated(self.SITES[n], Attributes(gender="f"), time=2000 + n))
            processor.process(message(value, timestamp=at), bench.store, out)  # what it sends to itself never comes
        assert [CUSTOMERS.decode(sent.value or b"") for sent in out.sent] == [ViewDue(customer="c1")] * 2

    @pytest.mark.parametrize(
        ("after_ms", "is_published"), [(0, False), (49, False), (50, True), (-1, True)], ids=["0", "49", "50", "clock back"]
    )
    def test_a_large_customer_rests_between_two_publications(self, bench: Bench, after_ms: int, is_published: bool) -> None:
        bench.give(*(attached(site, ANN) for site in self.SITES), entity(self.SITES))
        published_at = NOW + LATER_MS
        processor, out = bench.processor, RecordingOutbox()
        value = CUSTOMERS.encode(updated(self.SITES[0], Attributes(gender="f")))
        processor.process(message(value, timestamp=published_at), bench.store, out)
        (to_itself,) = out.take()
        processor.process(message(to_itself.value, timestamp=published_at + after_ms), bench.store, out)
        assert [sent.topic for sent in out.sent] == ([CUSTOMER_CHANGES, CUSTOMER_VIEW] if is_published else [INBOX])

    def test_no_row_holds_all_members(self, bench: Bench) -> None:
        bench.give(*(attached(site, ANN) for site in self.SITES), entity(self.SITES))
        assert sum(key.startswith(b"c1/m/") for key in bench.store.rows) == 100
        (view,) = bench.views()
        assert view.member_count == 100

    def test_a_customer_that_shrinks_is_published_at_once_again(self, bench: Bench) -> None:
        bench.give(*(attached(site, ANN) for site in self.SITES), entity(self.SITES))
        bench.give(*(detached(site) for site in self.SITES[10:]), entity(self.SITES[:10], epoch=2))
        processor, out = bench.processor, RecordingOutbox()
        processor.process(message(CUSTOMERS.encode(updated(self.SITES[0], ANN_TOO))), bench.store, out)
        assert [sent.topic for sent in out.sent] == [CUSTOMER_CHANGES, CUSTOMER_VIEW]

    def test_members_shown_are_capped_and_counted(self, bench: Bench) -> None:
        sites = [f"north/crm/{n:04}" for n in range(300)]
        bench.give(*(attached(site, ANN) for site in sites), entity(sites))
        (view,) = bench.views()
        assert (len(view.members), view.member_count) == (200, 300)

    def test_a_member_beyond_those_shown_is_a_change_of_the_count(self, bench: Bench) -> None:
        sites = [f"north/crm/{n:04}" for n in range(202)]
        bench.give(*(attached(site, ANN) for site in sites), entity(sites))
        (change,) = bench.give(detached(sites[-1]), entity(sites[:-1], epoch=2))
        assert changed(change)["member_count"] == ("202", "201")
        assert bench.views()[0].version == 2


class TestBadMessages:
    @pytest.mark.parametrize("value", [None, bytes([VERSION]) + b"\xc1", bytes([VERSION]) + b"\x81\xa1t\xa1x"])
    def test_a_message_of_no_known_kind_is_rejected(self, bench: Bench, value: bytes | None) -> None:
        with pytest.raises(RejectedError, match=r"malformed-message: test/0/0"):
            bench.processor.process(message(value), bench.store, bench.out)

    def test_a_newer_versions_message_stops_the_partition(self, bench: Bench) -> None:
        with pytest.raises(SourceStoppedError, match="upgrade"):
            bench.processor.process(message(bytes([VERSION + 1])), bench.store, bench.out)

    def test_preparing_a_batch_with_bad_messages_is_no_error(self, bench: Bench) -> None:
        bench.processor.prepare([message(None), message(b"\x09"), message(b"")], bench.store)


def test_a_member_whose_row_is_lost_is_not_left_out_silently(bench: Bench) -> None:
    bench.give(attached(CRM, ANN), attached(BILLING, ANN), entity([CRM, BILLING]))
    bench.store.delete(member_key("c1", BILLING))
    with pytest.raises(DamagedStoreError, match="rebuild"):
        bench.give(updated(CRM, ANN_TOO))


class CountingStore(MemoryStore):
    reads: list[bytes]

    def __init__(self) -> None:
        super().__init__()
        self.reads = []

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.load(keys)
        return super().get_many(keys)

    def load(self, keys: Iterable[bytes]) -> None:
        self.reads += keys


def test_preparing_fetches_every_row_a_batch_needs_and_changes_nothing(bench: Bench) -> None:
    bench.give(attached(CRM, ANN), attached(BILLING, ANN), entity([CRM, BILLING]))
    store = CountingStore()
    store.rows = dict(bench.store.rows)
    batch = [message(CUSTOMERS.encode(updated(CRM, ANN_TOO))), message(CUSTOMERS.encode(entity([CRM], customer="c2")))]
    processor = Customers(bench.survivorship, bench.codec)
    processor.prepare(batch, store)
    assert store.rows == bench.store.rows
    assert set(store.reads) == {b"c1/c", b"c2/c", b"c1/m/" + CRM.encode(), b"c1/m/" + BILLING.encode()}
