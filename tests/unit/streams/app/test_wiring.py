from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.mappings import shipped_mapping
from schemas.documents import DocumentError
from schemas.view import AttributeChange, CustomerChange
from streams.app.config import Configuration
from streams.app.wiring import Deployment
from streams.notify import Subscriber
from tests.fakes import MemoryStore, RecordingOutbox, message
from tests.unit.streams.customers.parts import MemoryRegistry

CHANGE = CustomerChange(
    event_id="c1:1",
    event_type="CustomerStateChangeEvent",
    customer_id="c1",
    realm="north",
    version=1,
    status="active",
    event_time=1,
    processing_time=2,
    rules_version="1",
    changes=(AttributeChange(attribute="status", after='"active"'),),
)


def test_a_mapping_of_files_cannot_be_a_source_of_the_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("source: s\nformat: csv\nrealm: {constant: north}\nrecord_id: id\nattributes: {}")
    with pytest.raises(DocumentError, match=r"m\.yaml:1: topics: is missing: name the topics this source's events are on"):
        Deployment(Configuration(realms={"north": 0}, sources=(path,)))


def test_hashes_for_a_subscriber_depend_on_its_secret_and_not_on_where_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(variable: str, secret: str) -> str | None:
        monkeypatch.setenv(variable, secret)
        dwh = Subscriber(name="dwh", mask={"status": "hash"}, secret=SecretStr(f"${{env:{variable}}}"))
        deployment = Deployment(Configuration(realms={"north": 0}, sources=(shipped_mapping("crm"),), subscribers=(dwh,)))
        registry, out = MemoryRegistry(), RecordingOutbox()
        codec = deployment.codec(registry)
        incoming = message(codec.encode_change(CHANGE), key=b"c1")
        deployment.processor("notify", lambda: registry).process(incoming, MemoryStore(), out)
        (sent,) = out.sent
        assert sent.value is not None
        return codec.decode_change(sent.value).changes[0].after

    one, same, other = hashed("ONE", "k" * 16), hashed("SAME", "k" * 16), hashed("ONE", "x" * 16)
    assert one == same != other


def two_mappings(tmp_path: Path, one: str = "", other: str = "", source: str = "s") -> Deployment:
    for name, more in (("one", one), ("other", other)):
        realm = "" if "realm:" in more else "realm: {constant: north}\n"
        (tmp_path / f"{name}.yaml").write_text(
            f"source: {source if name == 'other' else 's'}\ntopics: [{name}]\nformat: json\n{realm}record_id: id\n"
            f"order: {{sequence: n}}\n{more}\nattributes: {{gender: g}}"
        )
    paths = (tmp_path / "one.yaml", tmp_path / "other.yaml")
    return Deployment(Configuration(realms={"north": 0, "south": 1}, sources=paths))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("operation: patch", ""),
        ("", "operation: {path: op, values: {D: delete}, otherwise: snapshot}"),
        ("realm: brand\nrealms: [north, south]", ""),
        ("realm: brand", "realm: {constant: south}"),
    ],
)
def test_two_mappings_of_one_source_that_would_empty_each_others_attributes_are_refused(
    tmp_path: Path, one: str, other: str
) -> None:
    with pytest.raises(
        DocumentError, match=r"one\.yaml:1: source: .*other\.yaml also writes records of s, .*operation: patch"
    ):
        two_mappings(tmp_path, one, other)


@pytest.mark.parametrize(
    ("one", "other", "source"),
    [
        ("operation: patch", "operation: {path: op, values: {D: delete}, otherwise: patch}", "s"),
        ("", "realm: {constant: south}", "s"),
        ("realm: b\nrealms: [north]", "realm: b\nrealms: [south]", "s"),
        ("", "", "t"),
    ],
)
def test_mappings_that_cannot_empty_each_others_attributes_may_share_a_source(
    tmp_path: Path, one: str, other: str, source: str
) -> None:
    assert len(two_mappings(tmp_path, one, other, source).mappings) == 2
