from __future__ import annotations

from pathlib import Path

import pytest

from connectors.mappings import shipped_mapping
from schemas.documents import DocumentError
from streams.app.config import Configuration, ConfigurationError, topic_specs
from streams.app.wiring import Deployment

GOOD = f"""
realms: {{north: 0, south: 1}}
sources: [{shipped_mapping("crm")}]
"""


def load(tmp_path: Path, text: str) -> Configuration:
    path = tmp_path / "singleview.yaml"
    path.write_text(text)
    return Configuration.load(path)


def test_every_mistake_is_told_with_file_line_and_what_is_allowed(tmp_path: Path) -> None:
    text = GOOD + "partitions: none\nkafka: {group.id: mine}\nsubscriber: []\nbatches: {messages: 0}\n"
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    told = str(caught.value)
    assert "singleview.yaml:4: partitions" in told
    assert "singleview.yaml:5: kafka: group.id is set by singleview" in told
    assert "singleview.yaml:6: subscriber" in told
    assert "subscribers" in told
    assert "singleview.yaml:7: batches.messages" in told


def test_secrets_come_from_the_environment_or_files_and_never_from_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    text = (
        GOOD + "kafka: {bootstrap.servers: b:9092, sasl.username: '${env:KAFKA_USER}', sasl.password: '${file:password}'}\n"
    )
    configuration = load(tmp_path, text)
    with pytest.raises(ConfigurationError, match="KAFKA_USER is not set"):
        _ = configuration.kafka_settings
    monkeypatch.setenv("KAFKA_USER", "ada")
    assert configuration.kafka_settings["sasl.username"] == "ada"
    assert configuration.kafka_settings["sasl.password"] == "s3cret"
    with pytest.raises(ConfigurationError, match="not written in this file"):
        _ = load(tmp_path, GOOD + "secret: hunter2hunter2hunter2\n").secret_bytes


def test_a_missing_or_short_secret_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = load(tmp_path, GOOD)
    monkeypatch.delenv("SINGLEVIEW_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="SINGLEVIEW_SECRET"):
        _ = configuration.secret_bytes
    monkeypatch.setenv("SINGLEVIEW_SECRET", "short")
    with pytest.raises(ConfigurationError, match="openssl rand"):
        _ = load(tmp_path, GOOD).secret_bytes


def test_a_deployment_without_broker_or_registry_says_what_to_set(tmp_path: Path) -> None:
    configuration = load(tmp_path, GOOD)
    with pytest.raises(ConfigurationError, match=r"bootstrap\.servers"):
        _ = configuration.kafka_settings
    with pytest.raises(ConfigurationError, match="registry"):
        _ = configuration.registry_settings


def test_two_mappings_for_one_topic_are_refused(tmp_path: Path) -> None:
    crm = shipped_mapping("crm")
    configuration = load(tmp_path, f"realms: {{north: 0}}\nsources: [{crm}, {crm}]\n")
    with pytest.raises(DocumentError, match="two mappings read topic"):
        Deployment(configuration)


def test_a_table_has_as_many_partitions_as_its_inbox_and_inboxes_keep_everything(tmp_path: Path) -> None:
    specs = {spec.name: spec for spec in topic_specs(load(tmp_path, GOOD + "subscribers: [{name: mdm}]\n"))}
    for inbox in ("records", "identity", "customers"):
        assert specs[f"{inbox}-table"].partitions == specs[inbox].partitions
        assert specs[f"{inbox}-table"].compacted
        assert specs[inbox].retention_ms == -1
    assert specs["identity"].partitions == 2
    assert specs["notify.mdm"].retention_ms == specs["dead-letters"].retention_ms == 25 * 24 * 3_600_000
    assert specs["dead-letters"].max_message_bytes > specs["records"].max_message_bytes // 2


def test_each_of_several_processes_listens_on_a_port_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).observe is None
    observe = load(tmp_path, GOOD + "observe: {}\n").observe
    assert observe is not None
    assert [observe.address(index) for index in (0, 3)] == [("127.0.0.1", 9108), ("127.0.0.1", 9111)]
    anywhere = load(tmp_path, GOOD + "observe: {listen: '[::]:0'}\n").observe
    assert anywhere is not None
    assert [anywhere.address(index) for index in (0, 3)] == [("::", 0), ("::", 0)]


@pytest.mark.parametrize("listen", ["9108", "host:", ":9108", "a b:1", "host:70000", "::1:9108"])
def test_an_address_to_listen_on_that_is_none_is_refused(listen: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"observe\.listen"):
        load(tmp_path, GOOD + f"observe: {{listen: '{listen}'}}\n")


def test_how_many_processes_and_which_log_format_are_checked(tmp_path: Path) -> None:
    configuration = load(tmp_path, GOOD + "processes: 3\nlog_format: json\n")
    assert (configuration.processes, configuration.log_format) == (3, "json")
    with pytest.raises(DocumentError, match=r"(?s)processes.*log_format.*json"):
        load(tmp_path, GOOD + "processes: 0\nlog_format: xml\n")
