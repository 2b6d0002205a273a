"""Which rights singleview's user lacks on a cluster with access control: the brokers say what it may do with each topic and
group that it may describe.

Errors of the broker come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]  # its stubs do not declare it

from connectors.logs.groups import TIMEOUT, coordinated

GROUP_SECONDS = 3.0
"""How long a group's coordinator may take before it is asked why."""

Settings = Mapping[str, str | int | float | bool]

REFUSALS = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""How a broker says that something is not allowed."""

NAMES = {
    AclOperation.READ: "Read",
    AclOperation.WRITE: "Write",
    AclOperation.DELETE: "Delete",
    AclOperation.DESCRIBE: "Describe",
    AclOperation.DESCRIBE_CONFIGS: "DescribeConfigs",
}
"""As kafka-acls.sh calls them."""


class Need(NamedTuple):
    """What is to be done with a topic."""

    topic: str  # full name
    rights: tuple[AclOperation, ...]


class Lack(NamedTuple):
    """A right that is lacking."""

    rights: tuple[str, ...]
    kind: str  # topic or group
    name: str

    def __str__(self) -> str:
        return f"{' and '.join(self.rights)} on {self.kind} {self.name}"

    @property
    def fix(self) -> str:
        """The command that gives it."""
        operations = " ".join(f"--operation {right}" for right in self.rights)
        return f"kafka-acls.sh --add --allow-principal User:... {operations} --{self.kind} {self.name}"


def lacking(settings: Settings, needs: Sequence[Need], groups: Collection[str]) -> Iterator[Lack]:
    """Topics that do not exist lack nothing."""
    yield from _of_topics(settings, needs)
    for group in groups:
        if not _may_read(settings, group, needs[0].topic):
            yield Lack(("Read",), "group", group)


def _may_read(settings: Settings, group: str, topic: str) -> bool:
    """A consumer is not told that it may not use a group, but asks on: so whoever gets no answer asks as an operator."""
    try:
        coordinated(settings, group, topic, GROUP_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._TIMED_OUT:
            return bool(error.args[0].code() != KafkaError.GROUP_AUTHORIZATION_FAILED)
    else:
        return True
    admin = AdminClient(dict(settings))
    try:
        admin.describe_consumer_groups([group], request_timeout=TIMEOUT)[group].result()
    except KafkaException as error:
        return bool(error.args[0].code() != KafkaError.GROUP_AUTHORIZATION_FAILED)
    return True


def _of_topics(settings: Settings, needs: Sequence[Need]) -> Iterator[Lack]:
    admin = AdminClient(dict(settings))  # it must outlive its requests
    described = admin.describe_topics(
        TopicCollection([need.topic for need in needs]), include_authorized_operations=True, request_timeout=TIMEOUT
    )
    for need in needs:
        try:
            allowed = described[need.topic].result().authorized_operations
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise
            allowed = []
        missing = tuple(NAMES[right] for right in need.rights if allowed is not None and right not in allowed)
        if missing:
            yield Lack(missing, "topic", need.topic)
