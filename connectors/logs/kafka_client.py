"""How one processor instance reaches Kafka: the client settings it relies on, and which errors go away by waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from schemas.topics import TopicNames
from schemas.versions import client_id, this_release
from streams.engine.log import FencedError, LogError, UnavailableError

log = logging.getLogger(__name__)

client_log = logging.getLogger("librdkafka")
"""What the client library itself has to say: connections that break and come back."""

T = TypeVar("T")
GroupProtocol = Literal["classic", "consumer"]

REQUEST_SECONDS = 5.0
"""How long one request waits for its broker. Less than a process may take to stop; whoever asks, asks again."""

TRANSACTION_TIMEOUT_MS = 10_000
"""An orphaned transaction blocks every reader behind it for this long."""

PERMANENT = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._INVALID_ARG,
        KafkaError._UNSUPPORTED_FEATURE,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.INVALID_TRANSACTION_TIMEOUT,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.UNSUPPORTED_VERSION,
    }
)
"""Errors that waiting does not mend: somebody has to change something."""

RIGHTS = {
    KafkaError.GROUP_AUTHORIZATION_FAILED: ": allow Read on that group",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: ": allow Read and Describe on that topic",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ": allow Write and Describe on that transactional id",
}
"""What to do about the errors that are for want of a right."""

CONSUMER_DEFAULTS: dict[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # offsets are given explicitly; a lost position must never be guessed
    "fetch.wait.max.ms": 50,
    # Of each partition, fetched ahead. A partition that is far behind puts this much before the others' messages.
    "queued.max.messages.kbytes": 4_096,
    "fetch.queue.backoff.ms": 10,
}

MEMBER_DEFAULTS: dict[str, Any] = {"max.poll.interval.ms": 60_000}

CLASSIC_DEFAULTS: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",  # what does not move goes on during a rebalance
    "session.timeout.ms": 10_000,  # takeover after a crash; the default of 45 s stalls every customer of a partition
    "heartbeat.interval.ms": 3_000,
}
"""With the consumer protocol (KIP-848) these are the broker's to decide, and the client refuses them."""

GROUP_SETTINGS = MEMBER_DEFAULTS.keys() | CLASSIC_DEFAULTS.keys()
"""What only a member of a group is to know: some values do not go together with others' defaults."""

SOURCE_DEFAULTS: dict[str, Any] = {"topic.metadata.refresh.interval.ms": 5_000}
"""Topics of others come, and grow: the client's own 5 minutes are long for who waits for a new source to be read."""

PRODUCER_DEFAULTS: dict[str, Any] = {
    "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
    "partitioner": "murmur2_random",  # as Java clients; librdkafka's own default differs
    "compression.type": "lz4",
    "linger.ms": 5,
    # A transaction that follows another at once is told to wait until the last one's markers are written: a few ms.
    "retry.backoff.ms": 5,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 262_144,
}


TELLING: dict[str, Any] = {"log_level": 6, "log.connection.close": True}
"""Broken connections are logged (6: syslog's `info`)."""

BROKEN = frozenset({"FAIL", "REQTMOUT"})
"""What the client calls a connection that broke, and a request that was not answered."""


class _Ear(logging.Logger):
    """Passes on what a client logs. That a connection was closed with requests on it is told nowhere else."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        super().__init__(client_log.name)
        self._on_broken = on_broken

    def log(self, level: int, msg: object, *args: object, **more: Any) -> None:
        if args and args[0] in BROKEN:
            self._on_broken()
        client_log.log(level, msg, *args, **more)


class Connection(NamedTuple):
    """How one processor instance reaches Kafka."""

    settings: Mapping[str, str]  # passed to librdkafka: bootstrap.servers, TLS, SASL
    names: TopicNames
    instance: str  # stable over restarts, unique among the running instances of a processor
    protocol: GroupProtocol = "classic"
    static: bool = True  # a restart within the session time-out moves no partition

    @property
    def may_orphan(self) -> bool:
        """Whether a rebalance may leave a partition without an owner: see `kafka_orphans`."""
        return self.static and self.protocol == "classic"

    @property
    def transaction_seconds(self) -> float:
        """How long a transaction may be open before the brokers abort it."""
        return int(self.settings.get("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)) / 1000

    @property
    def common(self) -> dict[str, str]:
        """The settings that are not a group member's alone."""
        return {name: value for name, value in self.settings.items() if name not in GROUP_SETTINGS}

    @property
    def _name(self) -> dict[str, str]:
        """How members say which release they are (`schemas/versions.py`)."""
        return {"client.id": client_id(this_release(), self.settings.get("client.id", ""))}

    def member(self, group: str, on_error: Callable[[KafkaError], None], *, of_sources: bool = False) -> Consumer:
        """A consumer that may join the group. `on_error` is told, as it polls, of brokers out of reach."""
        own = {
            **(SOURCE_DEFAULTS if of_sources else {}),
            **MEMBER_DEFAULTS,
            "group.protocol": self.protocol,
            "error_cb": on_error,
        }
        if self.static:
            own["group.instance.id"] = self.instance
        if self.protocol == "classic":
            own |= CLASSIC_DEFAULTS
        return self._consumer({**own, **self.settings, **self._name, "group.id": group})

    def passer_by(self, group: str) -> Consumer:
        """A consumer that joins a group of the classic protocol under no name, and reads nothing of it."""
        return self._consumer({**MEMBER_DEFAULTS, **CLASSIC_DEFAULTS, **self.settings, **self._name, "group.id": group})

    def reader(self, extra: Mapping[str, Any]) -> Consumer:
        """A consumer that never joins a group: for what is read by explicit offsets."""
        group = f"{self.names.prefix}reader"  # the client wants a name
        return self._consumer({**self.common, "group.id": group, **extra})

    def _consumer(self, settings: Mapping[str, Any]) -> Consumer:
        return Consumer({**CONSUMER_DEFAULTS, **settings}, logger=client_log)

    def producer(self, transactional_id: str, max_message_bytes: int, on_broken: Callable[[], None]) -> Producer:
        """Not initialised yet. `on_broken` is told, as it polls, that requests may be under way and will not be answered."""
        own = {"transactional.id": transactional_id, "message.max.bytes": max_message_bytes}
        return Producer({**PRODUCER_DEFAULTS, **self.common, **own, **TELLING}, logger=_Ear(on_broken))

    def fenced(self, processor: str, error: KafkaError) -> FencedError:
        """What is said when the brokers know a newer process of this name."""
        return FencedError(
            f"{processor}: another process runs as instance {self.instance} ({error.str()}):"
            " give each process an --instance of its own"
        )


def asking(what: str, ask: Callable[[], T]) -> T:
    """The answer to a request. Raises UnavailableError if it may be asked again, LogError if that is of no use."""
    try:
        return ask()
    except KafkaException as error:
        raise unanswered(what, error.args[0]) from error


def unanswered(what: str, error: KafkaError) -> LogError:
    """The error of a request that was refused, or not answered."""
    if error.code() in PERMANENT or error.fatal():
        return LogError(f"{what}: {error.str()}{RIGHTS.get(error.code(), '')}")
    return UnavailableError(f"{what}: Kafka does not answer ({error.str()})")
