"""Every property of librdkafka: set by singleview, refused with the reason, allowed within bounds, or free.

The lists are compared with the installed library by a test: a new property is to be judged before it can be used.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SET_BY_US: frozenset[str] = _names(
    """
    acks allow.auto.create.topics auto.commit.enable auto.commit.interval.ms auto.offset.reset delivery.report.only.error
    delivery.timeout.ms enable.auto.commit enable.auto.offset.store enable.idempotence enable.partition.eof group.id
    group.instance.id group.protocol group.protocol.type isolation.level log.queue message.max.bytes
    message.send.max.retries message.timeout.ms offset.store.method offset.store.path offset.store.sync.interval.ms
    partition.assignment.strategy partitioner produce.offset.report queuing.strategy request.required.acks retries
    transaction.timeout.ms transactional.id
    """
)
"""What exactly once, the order of messages and the share of partitions rest on."""

_NO_TEXT = "cannot be given as text"
_OLD = "is for brokers older than those singleview needs"
_OTHER_CONSUMER = "is for a kind of consumer that singleview does not use"

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        _names("""
        background_event_cb closesocket_cb connect_cb consume_cb default_topic_conf dr_cb dr_msg_cb error_cb
        interceptors log_cb msg_order_cmp oauthbearer_token_refresh_cb offset_commit_cb opaque open_cb
        partitioner_cb rebalance_cb resolve_cb socket_cb ssl.certificate.verify_cb ssl_ca ssl_certificate
        ssl_engine_callback_data ssl_key stats_cb throttle_cb
        """),
        _NO_TEXT,
    ),
    **dict.fromkeys(("api.version.fallback.ms", "api.version.request", "broker.version.fallback"), _OLD),
    **dict.fromkeys(("consume.callback.max.messages", "max.poll.records", "share.acknowledgement.mode"), _OTHER_CONSUMER),
    "enable.gapless.guarantee": "ends the producer where singleview gives a batch back and does it again",
    "enabled_events": "takes the events that singleview waits for",
    "internal.termination.signal": "takes a signal by which singleview is told to stop",
    "metadata.broker.list": "is another name of bootstrap.servers: write that",
    "plugin.library.paths": "loads code that may change what is read and written",
    "topic.blacklist": "hides topics that singleview needs",
}
"""Name: what is wrong with it."""


class Bounds(NamedTuple):
    """What an integer may be."""

    least: int
    most: int
    why: str


BOUNDS: Mapping[str, Bounds] = {
    "fetch.error.backoff.ms": Bounds(0, 5_000, "a partition waits so long after each error"),
    "fetch.queue.backoff.ms": Bounds(0, 1_000, "a partition waits so long when enough is fetched"),
    "fetch.wait.max.ms": Bounds(0, 5_000, "a message may wait so long at the broker"),
    "heartbeat.interval.ms": Bounds(500, 20_000, "a third of session.timeout.ms at most"),
    "linger.ms": Bounds(0, 1_000, "every stage of the pipeline may wait so long"),
    "max.in.flight": Bounds(1, 5, "more would lose the order of messages"),
    "max.in.flight.requests.per.connection": Bounds(1, 5, "more would lose the order of messages"),
    "max.poll.interval.ms": Bounds(30_000, 600_000, "a transaction may take 10 s, and is then waited for"),
    "metadata.max.age.ms": Bounds(1_000, 900_000, "new topics and partitions are found so late"),
    "queue.buffering.max.kbytes": Bounds(16_384, 2_097_151, "the largest message must have room"),
    "queue.buffering.max.messages": Bounds(10_000, 2_147_483_647, "the outputs of one fold must have room"),
    "queue.buffering.max.ms": Bounds(0, 1_000, "every stage of the pipeline may wait so long"),
    "queued.max.messages.kbytes": Bounds(64, 1_048_576, "of each partition, fetched ahead"),
    "queued.min.messages": Bounds(100, 1_000_000, "of each partition, fetched ahead"),
    "request.timeout.ms": Bounds(1_000, 60_000, "a broker needs some time to write"),
    "retry.backoff.max.ms": Bounds(1, 5_000, "a transaction must end within 10 s"),
    "retry.backoff.ms": Bounds(1, 1_000, "a transaction must end within 10 s"),
    "session.timeout.ms": Bounds(6_000, 60_000, "the partitions of a dead process wait so long"),
    "socket.timeout.ms": Bounds(6_000, 300_000, "a rebalance is waited for in one request"),
    "topic.metadata.refresh.interval.ms": Bounds(1_000, 300_000, "new topics and partitions are found so late"),
}

FREE: frozenset[str] = _names(
    """
    api.version.request.timeout.ms batch.num.messages batch.size bootstrap.servers broker.address.family
    broker.address.ttl builtin.features check.crcs client.dns.lookup client.id client.rack compression.codec
    compression.level compression.type connections.max.idle.ms coordinator.query.interval.ms debug
    enable.metrics.push enable.random.seed enable.sasl.oauthbearer.unsecure.jwt enable.ssl.certificate.verification
    fetch.max.bytes fetch.message.max.bytes fetch.min.bytes group.remote.assignor https.ca.location https.ca.pem
    log.connection.close log.thread.name log_level max.partition.fetch.bytes message.copy.max.bytes
    metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy queue.buffering.backpressure.threshold
    receive.message.max.bytes reconnect.backoff.jitter.ms reconnect.backoff.max.ms reconnect.backoff.ms
    sasl.kerberos.keytab sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.principal
    sasl.kerberos.service.name sasl.mechanism sasl.mechanisms sasl.oauthbearer.assertion.algorithm
    sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
    sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include
    sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file
    sasl.oauthbearer.assertion.jwt.template.file sasl.oauthbearer.assertion.private.key.file
    sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.private.key.pem
    sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
    sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.config sasl.oauthbearer.extensions
    sasl.oauthbearer.grant.type sasl.oauthbearer.metadata.authentication.type sasl.oauthbearer.method
    sasl.oauthbearer.scope sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.password
    sasl.username security.protocol socket.blocking.max.ms socket.connection.setup.timeout.ms socket.keepalive.enable
    socket.max.fails socket.nagle.disable socket.receive.buffer.bytes socket.send.buffer.bytes
    ssl.ca.certificate.stores ssl.ca.location ssl.ca.pem ssl.certificate.location ssl.certificate.pem
    ssl.cipher.suites ssl.crl.location ssl.curves.list ssl.endpoint.identification.algorithm ssl.engine.id
    ssl.engine.location ssl.key.location ssl.key.password ssl.key.pem ssl.keystore.location ssl.keystore.password
    ssl.providers ssl.sigalgs.list statistics.interval.ms sticky.partitioning.linger.ms
    topic.metadata.propagation.max.ms topic.metadata.refresh.fast.cnt topic.metadata.refresh.fast.interval.ms
    topic.metadata.refresh.sparse
    """
)
"""Passed on as they are."""

SESSION_SHARE = 3
"""Heartbeats within a session time-out, at least."""


def objection(name: str, value: str) -> str:
    """Why singleview does not take a setting; empty if it does. Never repeats a value that may be a secret."""
    if name in SET_BY_US:
        return f"{name} is set by singleview: remove it"
    if name in REFUSED:
        return f"{name} {REFUSED[name]}"
    if name in BOUNDS:
        return _outside(name, value, BOUNDS[name])
    if name in FREE:
        return ""
    near = difflib.get_close_matches(name, [*FREE, *BOUNDS], 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{name} is no setting that singleview knows of{meant}"


def contradiction(settings: Mapping[str, str]) -> str:
    """Why settings that are fine alone do not go together; empty if they do."""
    session = int(settings.get("session.timeout.ms", "10000"))
    heartbeat = int(settings.get("heartbeat.interval.ms", "3000"))
    if SESSION_SHARE * heartbeat > session:
        return f"heartbeat.interval.ms ({heartbeat}) must be at most a third of session.timeout.ms ({session})"
    if session > (poll := int(settings.get("max.poll.interval.ms", "60000"))):
        return f"session.timeout.ms ({session}) must be at most max.poll.interval.ms ({poll})"
    return ""


def _outside(name: str, value: str, bounds: Bounds) -> str:
    try:
        number = int(value)
    except ValueError:
        return f"{name} must be a whole number"
    if bounds.least <= number <= bounds.most:
        return ""
    return f"{name} must be from {bounds.least} to {bounds.most}: {bounds.why}"
