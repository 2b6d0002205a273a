"""A right that is lacking is named: which, on what, and the command that gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not declare what it re-exports
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.command_line import CommandLine
from tests.conftest import cannot_run
from tests.e2e.processes import SECRET
from tests.kafka.deployed import Deployed
from tests.parts import MissingPartError
from tests.parts.java_kafka import JavaKafka
from tests.parts.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.registry]

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
R, Op = ResourceType, AclOperation


class Guarded:
    """A broker with access control: anybody on one port, and a user with few rights on another."""

    def __init__(self) -> None:
        self.broker = JavaKafka()
        port = free_port()
        self.limited = {
            "bootstrap.servers": f"127.0.0.1:{port}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "limited",
            "sasl.password": "of-this-test",
        }
        plain = f"127.0.0.1:{self.broker.port}"
        self.broker.configure(
            {
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
                "listeners": f"PLAINTEXT://{plain},SASL_PLAINTEXT://127.0.0.1:{port},"
                f"CONTROLLER://127.0.0.1:{self.broker.controller_port}",
                "advertised.listeners": f"PLAINTEXT://{plain},SASL_PLAINTEXT://127.0.0.1:{port}",
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.sasl_plaintext.plain.sasl.jaas.config": f'{PLAIN} required user_limited="of-this-test";',
            }
        )

    def allow(self, kind: ResourceType, name: str, *operations: AclOperation, literally: bool = False) -> None:
        pattern = ResourcePatternType.LITERAL if literally else ResourcePatternType.PREFIXED
        admin = AdminClient({"bootstrap.servers": self.broker.address})
        allowed = [
            AclBinding(kind, name, pattern, "User:limited", "*", each, AclPermissionType.ALLOW) for each in operations
        ]
        for future in admin.create_acls(allowed).values():
            future.result()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    try:
        guarded = Guarded()
    except MissingPartError as error:
        cannot_run(str(error))
    with guarded.broker:
        yield guarded


@pytest.fixture
def limited(
    guarded: Guarded,
    singleview: CommandLine,
    tmp_path: Path,
    registry: str,
    unique: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployed:
    """A deployment of the user with few rights."""
    monkeypatch.setenv("SINGLEVIEW_SECRET", SECRET)
    deployed = Deployed(singleview, tmp_path, guarded.broker.address, registry, unique)
    deployed.configure(kafka=guarded.limited)
    return deployed


def test_init_of_a_user_without_rights_names_what_it_needs(limited: Deployed) -> None:
    said = " ".join(limited("init").err.split())
    assert f"Describe on topic {limited.of('records')}" in said or f"--operation Create --topic {limited.prefix}" in said
    assert "check that it runs" not in said


def test_what_may_not_be_seen_is_not_what_is_not_there(limited: Deployed, guarded: Guarded) -> None:
    limited.configure(kafka={"bootstrap.servers": guarded.broker.address})
    limited.init()
    limited.configure(kafka=guarded.limited)
    found = {check.what: check for check in limited.troubles("rights")}
    inbox, view, group = limited.of("records"), limited.of("customer-view"), limited.of("notify")
    assert found[f"topic {inbox}"].found == (
        f"singleview's user lacks Read and Write and Describe and DescribeConfigs and Delete on topic {inbox}"
    )
    wanted = f"--operation Read --operation Write --operation Describe --operation DescribeConfigs --topic {view}"
    assert found[f"topic {view}"].fix.endswith(wanted)
    assert found[f"group {group}"].found == f"singleview's user lacks Read on group {group}"
    assert [check for check in limited.troubles("topics") if "does not exist" in check.found] == []


def test_the_right_that_is_lacking_is_named_alone(limited: Deployed, guarded: Guarded) -> None:
    limited.configure(kafka={"bootstrap.servers": guarded.broker.address})
    limited.init()
    limited.configure(kafka=guarded.limited)
    prefix = limited.prefix
    guarded.allow(R.TOPIC, prefix, Op.READ, Op.WRITE, Op.DESCRIBE, Op.DESCRIBE_CONFIGS)
    guarded.allow(R.GROUP, prefix, Op.READ)
    guarded.allow(R.TRANSACTIONAL_ID, prefix, Op.WRITE, Op.DESCRIBE)
    guarded.allow(R.TOPIC, limited.source, Op.READ, Op.DESCRIBE, literally=True)
    lacking = [check.found for check in limited.troubles("rights")]
    assert lacking == [
        f"singleview's user lacks Delete on topic {prefix}{inbox}" for inbox in ("records", "identity", "customers")
    ]
    guarded.allow(R.TOPIC, prefix, Op.DELETE)
    assert limited.troubles("rights") == []
    with limited.running() as running:
        limited.send(1, 2)
        running.until(lambda: limited.seen("customer-view") == 2, "the views")
