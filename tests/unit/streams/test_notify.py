"""What each subscriber gets."""

from __future__ import annotations

import json

import msgspec
import pytest
from pydantic import SecretStr

from schemas.documents import DocumentError, parse_document
from schemas.public import PublicCodec
from schemas.registry import RegistryError
from schemas.view import AttributeChange, CustomerChange
from streams.engine.contract import RejectedError, TransientError
from streams.notify import Notify, Subscriber
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.unit.streams.customers.parts import MemoryRegistry

CODEC = PublicCodec(MemoryRegistry())
PHONES = AttributeChange(
    attribute="phones", before='[{"value":"+447700900123","raw":"07700 900123","use":"home","verified":true}]', after=None
)
STATUS = AttributeChange(attribute="status", before='"active"', after='"suspended"')
SEGMENT = AttributeChange(attribute="characteristics.segment", before=None, after='"gold"')
CHANGE = CustomerChange(
    event_id="c1:4",
    event_type="CustomerStateChangeEvent",
    customer_id="c1",
    realm="north",
    version=4,
    status="active",
    event_time=1,
    processing_time=2,
    rules_version="1",
    changes=(PHONES, STATUS, SEGMENT),
)
HEADERS = (("traceparent", b"00-1-2"),)


def told(subscriber: str, change: CustomerChange = CHANGE, secret: str = "the key") -> CustomerChange | None:
    """What a subscriber of this configuration gets of a change. `secret` is what its reference leads to."""
    entry = parse_document(f"name: dwh\n{subscriber}", Subscriber, "singleview.yaml")
    out = RecordingOutbox()
    notify = Notify([entry], CODEC, {"dwh": SecretStr(secret)})
    incoming = message(CODEC.encode_change(change), key=b"c1", headers=HEADERS)
    notify.prepare([incoming], MemoryStore())
    notify.process(incoming, MemoryStore(), out)
    if not out.sent:
        return None
    (sent,) = out.sent
    assert (sent.topic, sent.key, sent.headers) == ("notify.dwh", b"c1", HEADERS)
    assert sent.value is not None
    return CODEC.decode_change(sent.value)


def attributes(subscriber: str, change: CustomerChange = CHANGE) -> list[str] | None:
    found = told(subscriber, change)
    return None if found is None else [each.attribute for each in found.changes]


def masked(subscriber: str, change: CustomerChange = CHANGE, secret: str = "the key") -> tuple[str | None, ...]:
    found = told(subscriber, change, secret)
    assert found is not None
    return tuple(each.before for each in found.changes)


def test_a_subscriber_that_asks_for_nothing_special_gets_the_change_as_it_is() -> None:
    assert told("") == CHANGE


@pytest.mark.parametrize(("asked", "gets"), [("[north]", True), ("[south, east]", False), ("[]", False)])
def test_only_realms_asked_for_pass(asked: str, gets: bool) -> None:
    assert (told(f"realms: {asked}") is not None) == gets


def test_only_events_asked_for_pass() -> None:
    assert told("events: [CustomerStateChangeEvent]") == CHANGE
    assert told("events: [CustomerDeleteEvent]") is None


def test_only_attributes_asked_for_pass_and_the_event_id_stays() -> None:
    assert attributes("attributes: [status]") == ["status"]
    assert attributes("attributes: [characteristics]") == ["characteristics.segment"]
    assert attributes("attributes: [characteristics.segment, phones]") == ["phones", "characteristics.segment"]
    found = told("attributes: [status]")
    assert found is not None
    assert found.event_id == "c1:4"


def test_an_event_of_which_nothing_is_left_is_skipped() -> None:
    assert told("attributes: [emails]") is None


def test_events_that_must_not_be_missed_pass_without_attributes() -> None:
    merge = CustomerChange(
        **{name: getattr(CHANGE, name) for name in CHANGE.__struct_fields__} | {"event_type": "CustomerMergeEvent"}
    )
    assert attributes("attributes: [emails]", merge) == []
    assert attributes("attributes: [emails]\nalways: []", merge) is None


def test_a_mask_of_an_attribute_hides_all_its_texts() -> None:
    phones, status, _ = masked("mask: {phones: redact}")
    assert json.loads(phones or "") == [{"value": "***", "raw": "***", "use": "***", "verified": True}]
    assert status == '"active"'


def test_a_mask_of_a_field_hides_it_and_the_raw_text_it_came_from() -> None:
    phones = masked("mask: {phones.value: last4}")[0]
    assert json.loads(phones or "") == [{"value": "***0123", "raw": "***", "use": "home", "verified": True}]


NAME = '{"given":"Annabella","family":"Leadbetter"}'
NAMED = msgspec.structs.replace(
    CHANGE,
    changes=(AttributeChange(attribute="name", before=NAME), AttributeChange(attribute="names", before=f"[{NAME}]")),
)


@pytest.mark.parametrize(
    ("mask", "name", "names"),
    [
        ("names: redact", "*** ***", "*** ***"),
        ("name: redact", "*** ***", "*** ***"),
        ("names.given: redact", "*** Leadbetter", "*** Leadbetter"),
        ("name.given: redact", "*** Leadbetter", "*** Leadbetter"),
        ("names.given: redact, name.family: redact", "*** ***", "*** ***"),
        ("names.given: redact, name.given: last4", "***ella Leadbetter", "*** Leadbetter"),
        ("names: redact, name: last4", "***ella ***tter", "*** ***"),
        ("names: redact, name.given: last4", "***ella ***", "*** ***"),
        ("names.given: redact, name: last4", "***ella ***tter", "*** ***tter"),
    ],
)
def test_a_mask_of_a_list_hides_its_best_element_too_and_the_other_way_round(mask: str, name: str, names: str) -> None:
    best, (only,) = (json.loads(text or "") for text in masked(f"mask: {{{mask}}}", NAMED))
    assert " ".join(best.values()) == name
    assert " ".join(only.values()) == names


def test_short_texts_are_hidden_whole() -> None:
    assert masked("mask: {status: last4}")[1] == '"***"'


def test_hashes_are_stable_and_depend_on_the_secret() -> None:
    entry = "mask: {status: hash}\nsecret: ${env:DWH}"
    one, again, other = (masked(entry, secret=secret)[1] for secret in ("s1", "s1", "s2"))
    assert one == again != other
    assert "active" not in (one or "")


def test_subscribers_are_independent_of_each_other() -> None:
    entries = [Subscriber(name="a", attributes=("status",)), Subscriber(name="b", realms=("south",)), Subscriber(name="c")]
    out = RecordingOutbox()
    Notify(entries, CODEC).process(message(CODEC.encode_change(CHANGE)), MemoryStore(), out)
    assert [sent.topic for sent in out.sent] == ["notify.a", "notify.c"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "malformed-message"), (b"{}", "malformed-message"), (b"\0\0\0\0\x02\x09", "malformed-message")],
)
def test_bytes_that_are_no_change_are_rejected(value: bytes | None, reason: str) -> None:
    with pytest.raises(RejectedError, match=f"{reason}: test/0/0"):
        Notify([], CODEC).process(message(value), MemoryStore(), RecordingOutbox())


def test_while_the_registry_is_away_a_change_waits() -> None:
    class Away(MemoryRegistry):
        away = False

        def schema(self, schema_id: int) -> str:
            if self.away:
                raise RegistryError("the registry cannot be reached")
            return super().schema(schema_id)

    registry = Away()
    notify = Notify([Subscriber(name="dwh", events=("CustomerCreateEvent",))], PublicCodec(registry))
    registry.away = True
    written_by_an_older_release = message(b"\0\0\0\x27\x0fxx", key=b"c1")
    with pytest.raises(TransientError):
        notify.process(written_by_an_older_release, MemoryStore(), RecordingOutbox())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: A/B", "c.yaml:1: name"),
        ("name: a\nattributes: [phonse]", "c.yaml:2: attributes: 'phonse' is no attribute .*phones"),
        ("name: a\nevents: [Created]", r"c.yaml:2: events\[0\]: .*CustomerCreateEvent"),
        ("name: a\nmask: {phonse: redact}", "c.yaml:2: mask: 'phonse' is no attribute"),
        ("name: a\nmask: {phones.valeu: redact}", "c.yaml:2: mask: .*no such field .*value"),
        ("name: a\nmask: {phones: blur}", "c.yaml:2: mask.phones: .*hash, last4, redact"),
        ("name: a\nmask: {phones: hash}", "the mask `hash` needs a `secret`"),
    ],
)
def test_a_wrong_entry_is_told_with_its_line_and_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        parse_document(text, Subscriber, "c.yaml")
