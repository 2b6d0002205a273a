"""The brokers: that they answer, how many and which release, and the settings that takeover and readers depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from connectors.logs.release import broker_level, release_of
from streams.app.broker import quiet, reach
from streams.app.config import Configuration
from streams.app.console import WorkError
from streams.app.doctor.report import Check, Status, error, ok, warning

AREA = "brokers"
REQUEST_SECONDS = 10.0
NEEDED_RELEASE, NEEDED_LEVEL = "4.1", 26
SESSION_MS, HEARTBEAT_MS, TRANSACTION_MS = 10_000, 3_000, 10_000
"""What singleview's clients ask for (docs/deployment.md)."""


class Rule(NamedTuple):
    """What a broker's setting must be."""

    setting: str
    least: int | None
    most: int | None
    status: Status
    why: str
    protocol: str = ""  # of the group; any if empty


RULES = (
    Rule(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        None,
        1_000,
        Status.WARNING,
        "a dead process's transaction blocks its readers for that much longer",
    ),
    Rule("transaction.max.timeout.ms", TRANSACTION_MS, None, Status.ERROR, "no producer can start"),
    Rule("group.min.session.timeout.ms", None, SESSION_MS, Status.ERROR, "no processor can join its group", "classic"),
    Rule("group.max.session.timeout.ms", SESSION_MS, None, Status.ERROR, "no processor can join its group", "classic"),
    Rule(
        "group.consumer.min.session.timeout.ms",
        None,
        SESSION_MS,
        Status.WARNING,
        "a dead process keeps its partitions for that long",
        "consumer",
    ),
    Rule(
        "group.consumer.session.timeout.ms",
        None,
        SESSION_MS,
        Status.WARNING,
        "a dead process keeps its partitions for that long",
        "consumer",
    ),
    Rule(
        "group.consumer.heartbeat.interval.ms",
        None,
        HEARTBEAT_MS,
        Status.WARNING,
        "fewer than three heartbeats fit into a session time-out",
        "consumer",
    ),
)


def check_reachable(settings: Mapping[str, str]) -> Check:
    """Raises ConfigurationError for settings the client refuses."""
    where = settings["bootstrap.servers"]
    try:
        reach(settings)
    except WorkError as away:
        return error(AREA, "reachable", "no", str(away))
    return ok(AREA, "reachable", where)


def check_brokers(configuration: Configuration) -> Iterator[Check]:
    settings = quiet(configuration.kafka_settings)
    admin = AdminClient(dict(settings))
    brokers = admin.list_topics(timeout=REQUEST_SECONDS).brokers
    count, replication = len(brokers), configuration.replication
    if count < replication:
        fix = f"set replication: {count}, or start the brokers that are missing"
        yield error(AREA, "count", f"{count}, fewer than replication {replication}", fix)
    else:
        yield ok(AREA, "count", f"{count}, replication {replication}")
    for broker in brokers.values():
        yield _release(broker.id, str(broker.host), broker.port, settings)
    for broker in brokers.values():
        yield from _settings(admin, broker.id, configuration.group.protocol)


def _release(number: int, host: str, port: int, settings: Mapping[str, str]) -> Check:
    what = f"release of broker {number}"
    try:
        level = broker_level(host, port, settings, REQUEST_SECONDS)
    except (OSError, ValueError) as failed:
        return warning(AREA, what, f"not told ({failed})", f"make sure yourself that it is {NEEDED_RELEASE} or newer")
    if level < NEEDED_LEVEL:
        return warning(AREA, what, release_of(level), f"run Kafka {NEEDED_RELEASE} or newer: older ones are not tested")
    return ok(AREA, what, release_of(level))


def _settings(admin: AdminClient, number: int, protocol: str) -> Iterator[Check]:
    resource = ConfigResource(ResourceType.BROKER, str(number))
    what = f"settings of broker {number}"
    try:
        entries = admin.describe_configs([resource], request_timeout=REQUEST_SECONDS)[resource].result()
    except KafkaException as refused:
        fix = "allow DESCRIBE_CONFIGS on the cluster, or compare with docs/deployment.md yourself"
        yield warning(AREA, what, f"not told ({refused.args[0].str()})", fix)
        return
    found = list(judge(number, {name: entry.value for name, entry in entries.items()}, protocol))
    yield from found or [ok(AREA, what, f"fit for group.protocol={protocol}")]


def judge(number: int, values: Mapping[str, str | None], protocol: str) -> Iterator[Check]:
    """What is wrong with a broker's settings; those it does not name are left to its release."""
    for rule in RULES:
        value = values.get(rule.setting)
        if value is None or (rule.protocol and rule.protocol != protocol):
            continue
        bound = rule.most if rule.most is not None and int(value) > rule.most else None
        if rule.least is not None and int(value) < rule.least:
            bound = rule.least
        if bound is not None:
            fix = f"set {rule.setting}={bound} in every broker's configuration: else {rule.why}"
            yield Check(AREA, f"settings of broker {number}", rule.status, f"{rule.setting}={value}", fix)
    if values.get("auto.create.topics.enable") == "true":
        fix = "set auto.create.topics.enable=false: else a mistyped topic name is a new topic with one partition"
        yield warning(AREA, f"settings of broker {number}", "auto.create.topics.enable=true", fix)
