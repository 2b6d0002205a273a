"""Topics on Kafka: created with the settings singleview relies on, checked where they exist, and given first offsets.

Errors of the broker itself (not reachable, not allowed) come up as confluent_kafka.KafkaException.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not declare what it re-exports
    AdminClient,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from connectors.logs.rights import REFUSALS
from schemas.topics import CUSTOMER_VIEW, INBOXES, TopicSpec

T = TypeVar("T")

DAY_MS = 24 * 60 * 60 * 1000

SEGMENT_MS = DAY_MS
"""Kafka deletes and compacts whole closed segments only: what is due goes at most this much later."""

SEGMENT_BYTES = 256 * 1024 * 1024
"""The open segment is never compacted and is read whole at each restore: a quarter of Kafka's default bounds that."""

DELETE_RETENTION_MS = 7 * DAY_MS
"""How long a tombstone stays: a store that was away for longer would miss deletions, so it is rebuilt."""

MAX_COMPACTION_LAG_MS = DAY_MS
"""An erased customer's last values are gone from a compacted topic this long after the tombstone, whatever the traffic."""

GROUP_RUNS = frozenset({"UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP"})
"""How a broker says that only the group's members may commit now."""

STARTING = frozenset(
    {
        "NOT_LEADER_FOR_PARTITION",
        "NOT_LEADER_OR_FOLLOWER",
        "LEADER_NOT_AVAILABLE",
        "NOT_COORDINATOR",
        "COORDINATOR_NOT_AVAILABLE",
        "COORDINATOR_LOAD_IN_PROGRESS",
    }
)
"""How a broker says that a partition or a group is still being set up, or moving."""

TIMEOUT = 30.0  # seconds for one request to the cluster


class TopicReport(NamedTuple):
    """What `ensure_topics` did and saw."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    differences: tuple[str, ...]
    """Settings of existing topics that differ from ours but may be the operator's choice, each with how to change it."""
    grown: tuple[str, ...] = ()  # were given the partitions they lacked


class TopicState(NamedTuple):
    """How a topic stands against its spec."""

    name: str  # on the cluster
    exists: bool
    problems: tuple[str, ...] = ()  # it cannot be used like this; each with the fix
    differences: tuple[str, ...] = ()  # settings that may be the operator's choice, each with how to change it


class TopicMismatchError(Exception):
    """Existing topics cannot be used as they are: `problems` lists each with its fix. Nothing was created."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("existing topics do not fit:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = tuple(problems)


class NotAllowedError(Exception):
    """Topics cannot be created for want of a right; says which, and what to do."""


class ActiveGroupError(Exception):
    """First offsets cannot be set because members of the group are running."""


def topic_config(spec: TopicSpec, replication: int = 1) -> dict[str, str]:
    """The settings `spec` is created with, in Kafka's names."""
    common = {
        "segment.ms": str(SEGMENT_MS),
        "segment.bytes": str(SEGMENT_BYTES),
        "max.message.bytes": str(spec.max_message_bytes),
        # One broker may be away without stopping writes, and every acknowledged write is on all others.
        "min.insync.replicas": str(max(1, replication - 1)),
    }
    if spec.compacted:
        return {
            "cleanup.policy": "compact",
            "delete.retention.ms": str(DELETE_RETENTION_MS),
            "min.compaction.lag.ms": "0",
            "max.compaction.lag.ms": str(MAX_COMPACTION_LAG_MS),
            **common,
        }
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(spec.retention_ms),
        "retention.bytes": "-1",  # a broker-wide limit must not cut an inbox before it is consumed
        **common,
    }


def ensure_topics(
    admin_config: Mapping[str, str | int | float | bool], specs: Sequence[TopicSpec], prefix: str, replication: int
) -> TopicReport:
    """Create the topics of `specs`, each name after `prefix`, that are missing, and check those that exist.

    Those that may grow get the partitions they lack.
    All existing ones are checked first: raises TopicMismatchError, and creates nothing, if one has another partition
    count, cleanup policy or fewer replicas. Repeating it is harmless, also at the same time from several processes.
    """
    admin = AdminClient(dict(admin_config))
    wanted = {prefix + spec.name: spec for spec in specs}
    visible = admin.list_topics(timeout=TIMEOUT).topics
    existing = {name: spec for name, spec in wanted.items() if name in visible}
    missing = {name: spec for name, spec in wanted.items() if name not in visible}
    short = _too_short(admin, existing)
    differences = _check(admin, {name: spec for name, spec in existing.items() if name not in short}, replication)
    grown = _grow(admin, short)
    differences += _check(admin, short, replication)
    created = _create(admin, missing, replication)
    _wait_until_visible(admin, missing)
    made_by_others = {name: spec for name, spec in missing.items() if name not in created}
    differences += _check(admin, made_by_others, replication)
    return TopicReport(created, tuple(name for name in wanted if name not in created), tuple(differences), grown)


def first_offsets(admin_config: Mapping[str, str | int | float | bool], group: str, topics: Sequence[str]) -> int:
    """Commit the earliest offset for `group` on every partition of `topics` (full names) where it has none.

    Returns how many were set. Needed once, since inside singleview an absent offset is an error rather than a silent jump.
    Raises ActiveGroupError if offsets are missing while members of the group run; KafkaException for an unknown topic.
    """
    if not topics:
        return 0
    descriptions = _describe(AdminClient(dict(admin_config)), list(topics))
    partitions = [TopicPartition(name, p.id) for name, found in descriptions.items() for p in found.partitions]
    # A consumer, though it never joins: the admin client's calls for groups fail, and with confluent-kafka 2.16 may crash
    # the process, while the group's coordinator starts, as it does at the first use of a new cluster.
    consumer = Consumer(
        {**admin_config, "group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed"}
    )
    try:
        committed = _patiently(consumer, lambda: _checked(consumer.committed(partitions, timeout=TIMEOUT)))
        absent = [p for p in committed if p.offset < 0]
        if absent:
            first = [TopicPartition(p.topic, p.partition, _earliest(consumer, p)) for p in absent]
            _patiently(consumer, lambda: _checked(consumer.commit(offsets=first, asynchronous=False)))
    except KafkaException as error:
        if error.args[0].name() not in GROUP_RUNS:
            raise
        raise ActiveGroupError(
            f"consumer group {group} lacks offsets, and members of it are running: stop them and run init again"
        ) from error
    finally:
        consumer.close()
    return len(absent)


def _patiently(consumer: Consumer, ask: Callable[[], T]) -> T:
    """Asks again while the answer is that a leader or coordinator is still being set up, as it is at the first use."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].name() not in STARTING or time.monotonic() > deadline:
                raise
            consumer.poll(0.1)


def _earliest(consumer: Consumer, partition: TopicPartition) -> int:
    offsets = _patiently(consumer, lambda: consumer.get_watermark_offsets(partition, timeout=TIMEOUT))
    if offsets is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no offsets of {partition.topic} within {TIMEOUT:.0f} s"))
    return offsets[0]


def _checked(answers: list[TopicPartition]) -> list[TopicPartition]:
    """The answers, if none is an error: a request may succeed as a whole though single partitions were refused."""
    for answer in answers:
        if answer.error is not None:
            raise KafkaException(answer.error)
    return answers


def inspect_topics(
    admin_config: Mapping[str, str | int | float | bool], specs: Sequence[TopicSpec], prefix: str, replication: int
) -> list[TopicState]:
    """How every topic of `specs` stands, each name after `prefix`; changes nothing."""
    admin = AdminClient(dict(admin_config))
    wanted = {prefix + spec.name: spec for spec in specs}
    visible = admin.list_topics(timeout=TIMEOUT).topics
    states = _states(admin, {name: spec for name, spec in wanted.items() if name in visible}, replication)
    found = {state.name: state for state in states}
    return [found.get(name, TopicState(name, exists=False)) for name in wanted]


def topic_ids(admin_config: Mapping[str, str | int | float | bool], names: Sequence[str]) -> dict[str, str]:
    """The id of each topic that exists: another one after it was deleted and created again."""
    admin = AdminClient(dict(admin_config))
    visible = admin.list_topics(timeout=TIMEOUT).topics
    found = _describe(admin, [name for name in names if name in visible])
    return {name: str(description.topic_id) for name, description in found.items()}


def partition_counts(admin_config: Mapping[str, str | int | float | bool], names: Sequence[str]) -> dict[str, int]:
    """Of each topic that exists."""
    visible = AdminClient(dict(admin_config)).list_topics(timeout=TIMEOUT).topics
    return {name: len(visible[name].partitions) for name in names if name in visible}


def largest_messages(admin_config: Mapping[str, str | int | float | bool], names: Sequence[str]) -> dict[str, int]:
    """`max.message.bytes` of each topic that exists."""
    admin = AdminClient(dict(admin_config))
    visible = admin.list_topics(timeout=TIMEOUT).topics
    settings = _settings(admin, [name for name in names if name in visible])
    return {name: int(found["max.message.bytes"] or 0) for name, found in settings.items()}


def _check(admin: AdminClient, existing: Mapping[str, TopicSpec], replication: int) -> list[str]:
    """How the settings of existing topics differ from ours. Raises TopicMismatchError for what cannot be."""
    states = _states(admin, existing, replication)
    problems = [problem for state in states for problem in state.problems]
    if problems:
        raise TopicMismatchError(problems)
    return [difference for state in states for difference in state.differences]


def _states(admin: AdminClient, existing: Mapping[str, TopicSpec], replication: int) -> list[TopicState]:
    descriptions = _describe(admin, list(existing))
    settings = _settings(admin, list(existing))
    states = []
    for name, spec in existing.items():
        problems = _shape_problems(name, spec, descriptions[name], replication)
        differences: list[str] = []
        for setting, value in topic_config(spec, replication).items():
            if settings[name].get(setting) != value:
                text = _setting_difference(name, setting, settings[name].get(setting), value)
                (problems if _must_be(setting, settings[name].get(setting)) else differences).append(text)
        states.append(TopicState(name, True, tuple(problems), tuple(differences)))
    return states


def _must_be(setting: str, value: str | None) -> bool:
    """Whether a topic with this value cannot be used: it loses state, or keeps or brings back what it must not."""
    if setting == "delete.retention.ms":
        return int(value or 0) < DELETE_RETENTION_MS
    return setting == "cleanup.policy"


def _wait_until_visible(admin: AdminClient, names: Iterable[str]) -> None:
    """A broker answers for a new topic only when it has learnt of it, moments after the controller has."""
    deadline = time.monotonic() + TIMEOUT
    while not set(names) <= admin.list_topics(timeout=TIMEOUT).topics.keys() and time.monotonic() < deadline:
        admin.poll(0.05)


def _describe(admin: AdminClient, names: list[str]) -> dict[str, TopicDescription]:
    if not names:
        return {}
    futures = admin.describe_topics(TopicCollection(names), request_timeout=TIMEOUT)
    return {name: future.result() for name, future in futures.items()}


def _settings(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str | None]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    futures = admin.describe_configs(resources, request_timeout=TIMEOUT)
    return {
        resource.name: {entry.name: entry.value for entry in future.result().values()}
        for resource, future in futures.items()
    }


def _shape_problems(name: str, spec: TopicSpec, description: TopicDescription, replication: int) -> list[str]:
    problems = []
    count = len(description.partitions)
    if count < spec.partitions or (count > spec.partitions and not spec.grows):
        problems.append(count_problem(name, spec, count))
    replicas = min(len(partition.replicas) for partition in description.partitions)
    if replicas < replication:
        problems.append(
            f"{name} has {replicas} replicas, not {replication}: set that number in the configuration,"
            " or add replicas with kafka-reassign-partitions.sh"
        )
    return problems


def count_problem(name: str, spec: TopicSpec, count: int) -> str:
    """What is said of a topic whose partitions somebody else made, or changed: keys would lie elsewhere."""
    found = f"{name} has {count} partitions, not {spec.partitions}"
    if spec.grows:
        return f"{found}: run `singleview init`, which adds them"
    if count < spec.partitions:
        return (
            f"{found}: if all of singleview's topics have {count}, write partitions: {count}; else delete it, if it is empty"
        )
    added = f"{found}: somebody has added some, and Kafka takes none away. Leave the configuration as it is"
    if spec.name == CUSTOMER_VIEW:
        return f"{added}, delete this topic, then run `singleview init` and `singleview republish`"
    if spec.name in INBOXES:
        return f"{added}, stop every process, and run `singleview init --remake {name}`: it keeps what waits in it"
    return (
        f"{added} and stop every process. If nothing waits in this topic (`singleview doctor` says how many offsets its"
        " group is behind), delete it and run `singleview init`; else begin anew under another prefix"
    )


def _setting_difference(name: str, setting: str, value: str | None, wanted: str) -> str:
    return (
        f"{name} has {setting}={value}, not {wanted}: run"
        f" kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {setting}={wanted}"
    )


def _too_short(admin: AdminClient, existing: Mapping[str, TopicSpec]) -> dict[str, TopicSpec]:
    """Those that may grow and lack partitions."""
    found = _describe(admin, [name for name, spec in existing.items() if spec.grows])
    return {name: existing[name] for name, at in found.items() if len(at.partitions) < existing[name].partitions}


def _grow(admin: AdminClient, short: Mapping[str, TopicSpec]) -> tuple[str, ...]:
    if not short:
        return ()
    wanted = [NewPartitions(name, spec.partitions) for name, spec in short.items()]
    for future in admin.create_partitions(wanted, operation_timeout=TIMEOUT, request_timeout=TIMEOUT).values():
        future.result()
    for new in wanted:
        _wait_until_grown(admin, new.topic, new.new_total_count)
    return tuple(new.topic for new in wanted)


def _wait_until_grown(admin: AdminClient, name: str, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while len(admin.list_topics(name, timeout=TIMEOUT).topics[name].partitions) < count and time.monotonic() < deadline:
        admin.poll(0.05)


def _create(admin: AdminClient, missing: Mapping[str, TopicSpec], replication: int) -> tuple[str, ...]:
    if not missing:
        return ()
    topics = [
        NewTopic(name, spec.partitions, replication, config=topic_config(spec, replication))
        for name, spec in missing.items()
    ]
    created = []
    futures = admin.create_topics(topics, operation_timeout=TIMEOUT, request_timeout=TIMEOUT)
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() in REFUSALS:
                raise NotAllowedError(
                    f"{name} is not there or not shown, and cannot be created: if it is there, singleview's user needs"
                    " Describe on it, else Create on it or on the cluster: kafka-acls.sh --add --allow-principal User:..."
                    f" --operation Create --topic {name}"
                ) from error
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":  # another process was quicker
                raise
        else:
            created.append(name)
    return tuple(created)
