"""TLS, SASL and a registry behind a password, on a broker that lets in nobody without: right and wrong credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from confluent_kafka import admin
from confluent_kafka.admin import AdminClient

from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES
from tests.command_line import CommandLine
from tests.conftest import cannot_run
from tests.kafka.certificates import STORE_PASSWORD, Certificates, make_certificates
from tests.kafka.password_proxy import password_proxy
from tests.parts import MissingPartError
from tests.parts.java_kafka import JavaKafka
from tests.parts.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.registry]

USER, PASSWORD = "singleview", "right-kafka-password"
REGISTRY_USER, REGISTRY_PASSWORD = "views", "right-registry-password"
WRONG = "wrong-password"
PATIENCE = 90.0


class Secure(NamedTuple):
    """What only those get into who say who they are."""

    broker: str
    registry: str
    certificates: Certificates


@pytest.fixture(scope="module")
def secure(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    try:
        kafka = JavaKafka()
    except MissingPartError as missing:
        cannot_run(str(missing))
    port = free_port()
    kafka.configure(
        {
            # The plain listener is the broker's own; the test makes the user over it.
            "listeners": f"PLAINTEXT://{kafka.address},SECURE://127.0.0.1:{port},CONTROLLER://127.0.0.1:{kafka.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{kafka.address},SECURE://127.0.0.1:{port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL",
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": str(certificates.server),
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.key.password": STORE_PASSWORD,
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        }
    )
    with kafka, password_proxy(registry, REGISTRY_USER, REGISTRY_PASSWORD) as proxy:
        make_user(kafka.address)
        yield Secure(f"127.0.0.1:{port}", proxy, certificates)


def make_user(broker: str) -> None:
    made: Any = admin  # its stubs do not export what is needed
    scram = made.ScramCredentialInfo(made.ScramMechanism.SCRAM_SHA_512, 4096)
    wanted = made.UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())
    client: Any = AdminClient({"bootstrap.servers": broker})
    for answer in client.alter_user_scram_credentials([wanted]).values():
        answer.result(PATIENCE)


@pytest.fixture
def site(secure: Secure, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration as docs/deployment.md describes it, with the right credentials in the environment."""
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a secret of these tests alone")
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    monkeypatch.setenv("REGISTRY_USER_INFO", f"{REGISTRY_USER}:{REGISTRY_PASSWORD}")
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, secure, unique, {})
    return tmp_path


def configure(folder: Path, secure: Secure, prefix: str, kafka: Mapping[str, str]) -> None:
    document: dict[str, Any] = {
        "prefix": prefix,
        "partitions": 1,
        "realms": {"north": 0, "south": 0},
        "sources": [str(shipped_mapping(source)) for source in SOURCES],
        "kafka": {
            "bootstrap.servers": secure.broker,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": USER,
            "sasl.password": "${env:KAFKA_PASSWORD}",
            "ssl.ca.location": str(secure.certificates.authority),
            **kafka,
        },
        "registry": {"url": secure.registry, "basic.auth.user.info": "${env:REGISTRY_USER_INFO}"},
    }
    (folder / "singleview.yaml").write_text(yaml.safe_dump(document))


def test_with_the_right_credentials_topics_are_made_and_events_sent(singleview: CommandLine, site: Path) -> None:
    assert singleview("init").code == 0
    assert singleview("generate", "--customers", 20, "-o", "events").code == 0
    assert singleview("publish", "events").code == 0


@pytest.mark.parametrize("command", [("init",), ("run", "--processes", "1"), ("doctor",), ("show", "north/crm/1")])
def test_a_wrong_password_of_kafka_is_said_and_not_shown(
    singleview: CommandLine, site: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", WRONG)
    told = singleview(*command)
    said = " ".join((told.out + told.err).split())
    assert told.code == 1
    assert "invalid credentials with SASL mechanism SCRAM-SHA-512" in said
    assert "Traceback" not in said
    assert WRONG not in said


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("ssl.ca.location", "ANOTHER", "certificate verify failed"),
        ("security.protocol", "PLAINTEXT", "security"),
    ],
)
def test_wrong_security_settings_are_one_message_that_says_what_the_broker_wants(
    singleview: CommandLine, site: Path, secure: Secure, unique: str, setting: str, value: str, said: str
) -> None:
    configure(site, secure, unique, {setting: value.replace("ANOTHER", str(secure.certificates.another))})
    told = singleview("init")
    assert told.code == 1
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert PASSWORD not in told.err
