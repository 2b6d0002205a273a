"""Settings every broker of singleview needs, in tests as in production; docs/deployment.md says why (a test compares)."""

from __future__ import annotations

REQUIRED_SETTINGS: dict[str, str] = {
    # An orphaned transaction blocks every downstream reader until the broker looks for expired ones: default every 10 s.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # With group.protocol=consumer the session time-out is the broker's: default and minimum 45 s, far too long a takeover.
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "10000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "3000",
    # A mistyped topic name is an error, not a new topic with one partition.
    # A group that was stopped for longer loses its offsets: default 7 days.
    "offsets.retention.minutes": "43200",
    "auto.create.topics.enable": "false",
}

SINGLE_NODE_SETTINGS: dict[str, str] = {
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    # Nobody else is about to join.
    "group.initial.rebalance.delay.ms": "0",
}

SMALL_SETTINGS: dict[str, str] = {
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",
}
"""For a small heap and a quick start; tests only."""
