from __future__ import annotations

import re
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


MASKING = GOOD + "subscribers: [{name: mdm}, {name: dwh, secret: '%s'}]\n"


def test_the_secret_of_a_subscriber_is_looked_up_and_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWH", "a key of the warehouse")
    secrets = load(tmp_path, MASKING % "${env:DWH}").subscriber_secrets
    assert {name: secret.get_secret_value() for name, secret in secrets.items()} == {"dwh": "a key of the warehouse"}
    assert "warehouse" not in repr(secrets)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("a key of the warehouse", r"subscriber dwh: secret: must be \$\{env:NAME\} or \$\{file:PATH\}"),
        ("${env:SHORT}", "subscriber dwh: secret: is too short: at least 16"),
        ("${env:DWH}", "subscriber dwh: secret: the environment variable DWH is not set"),
    ],
)
def test_a_secret_of_a_subscriber_must_be_a_reference_to_a_long_one(
    secret: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHORT", "short")
    monkeypatch.delenv("DWH", raising=False)
    configuration = load(tmp_path, MASKING % secret)
    with pytest.raises(ConfigurationError, match=said) as caught:
        _ = configuration.subscriber_secrets
    assert "a key of" not in str(caught.value)


def test_a_secret_file_that_is_not_text_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff" * 20)
    with pytest.raises(ConfigurationError, match="secret: the file key is not UTF-8 text"):
        _ = load(tmp_path, GOOD + "secret: ${file:key}\n").secret_bytes


def test_a_subscriber_to_a_realm_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    said = r"singleview\.yaml:4: subscribers: subscriber mdm: 'nroth' is no realm \(allowed: north, south\)"
    with pytest.raises(DocumentError, match=said):
        load(tmp_path, GOOD + "subscribers: [{name: mdm, realms: [south, nroth]}]\n")


def test_wrong_realms_are_told_once(tmp_path: Path) -> None:
    text = GOOD.replace("south: 1", "south: many") + "subscribers: [{name: mdm, realms: [north]}]\n"
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    assert [problem.where for problem in caught.value.problems] == ["realms.south"]


def test_where_reading_begins_is_not_for_the_configuration_to_say(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"kafka: auto\.offset\.reset is set by singleview: remove it"):
        load(tmp_path, GOOD + "kafka: {auto.offset.reset: latest}\n")


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


@pytest.mark.parametrize("name", ["customers", "singleview.dead-letters"])
def test_a_source_topic_with_a_name_of_our_own_is_refused(tmp_path: Path, name: str) -> None:
    partner = shipped_mapping("partner").read_text()
    (tmp_path / "partner.yaml").write_text(re.sub(r"^topics: .*$", f"topics: [{name}]", partner, flags=re.MULTILINE))
    with pytest.raises(DocumentError, match=f"{name} is the name of a topic of singleview's own"):
        Deployment(load(tmp_path, "realms: {north: 0}\nsources: [partner.yaml]\n"))


def test_a_table_has_as_many_partitions_as_its_inbox_and_inboxes_keep_everything(tmp_path: Path) -> None:
    specs = {spec.name: spec for spec in topic_specs(load(tmp_path, GOOD + "subscribers: [{name: mdm}]\n"))}
    for inbox in ("records", "identity", "customers"):
        assert specs[f"{inbox}-table"].partitions == specs[inbox].partitions
        assert specs[f"{inbox}-table"].compacted
        assert specs[inbox].retention_ms == -1
    assert specs["identity"].partitions == 2
    assert specs["notify.mdm"].retention_ms == specs["dead-letters"].retention_ms == 25 * 24 * 3_600_000
    assert specs["dead-letters"].max_message_bytes > specs["records"].max_message_bytes // 2


@pytest.mark.parametrize(("where", "address"), [("kafka", "bootstrap.servers: b"), ("registry", "url: 'http://r'")])
def test_a_file_of_the_clients_that_is_not_there_is_named(tmp_path: Path, where: str, address: str) -> None:
    def settings(path: object) -> object:
        configuration = load(tmp_path, GOOD + f"{where}: {{{address}, ssl.ca.location: {path}}}\n")
        return configuration.kafka_settings if where == "kafka" else configuration.registry_settings

    (tmp_path / "ca.pem").write_text("x")
    assert settings(tmp_path / "ca.pem")
    with pytest.raises(ConfigurationError, match=rf"{where}: ssl\.ca\.location: /gone\.pem cannot be read: No such file"):
        settings("/gone.pem")


def test_each_of_several_processes_listens_on_a_port_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).observe is None
    observe = load(tmp_path, GOOD + "observe: {}\n").observe
    assert observe is not None
    assert [observe.address(index) for index in (0, 3)] == [("127.0.0.1", 9108), ("127.0.0.1", 9111)]
    anywhere = load(tmp_path, GOOD + "observe: {listen: '[::]:0'}\n").observe
    assert anywhere is not None
    assert [anywhere.address(index) for index in (0, 3)] == [("::", 0), ("::", 0)]


def test_more_processes_than_ports_are_told_with_the_setting_to_change(tmp_path: Path) -> None:
    observe = load(tmp_path, GOOD + "observe: {listen: '127.0.0.1:65535'}\n").observe
    assert observe is not None
    assert observe.address(0) == ("127.0.0.1", 65_535)
    with pytest.raises(ConfigurationError, match=r"observe\.listen: process 2 would listen on port 65536, but .* 65535"):
        observe.address(1)


@pytest.mark.parametrize("listen", ["9108", "host:", ":9108", "a b:1", "host:70000", "::1:9108"])
def test_an_address_to_listen_on_that_is_none_is_refused(listen: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"observe\.listen"):
        load(tmp_path, GOOD + f"observe: {{listen: '{listen}'}}\n")


def test_how_many_processes_and_which_log_format_are_checked(tmp_path: Path) -> None:
    configuration = load(tmp_path, GOOD + "processes: 3\nlog_format: json\n")
    assert (configuration.processes, configuration.log_format) == (3, "json")
    with pytest.raises(DocumentError, match=r"(?s)processes.*log_format.*json"):
        load(tmp_path, GOOD + "processes: 0\nlog_format: xml\n")
