"""The settings topics are created with."""

from __future__ import annotations

import pytest

from connectors.logs.topics import DAY_MS, topic_config
from schemas.topics import TopicSpec

TABLE = TopicSpec("records-table", 4, compacted=True, retention_ms=-1, max_message_bytes=1_000_000)
INBOX = TopicSpec("records", 4, compacted=False, retention_ms=-1, max_message_bytes=2_000_000)
LOG = TopicSpec("customer-changes", 4, compacted=False, retention_ms=25 * DAY_MS, max_message_bytes=3_000_000)


def test_a_table_topic_is_compacted_and_keeps_tombstones_a_week() -> None:
    config = topic_config(TABLE)
    assert config["cleanup.policy"] == "compact"
    assert config["delete.retention.ms"] == "604800000"


def test_a_value_under_a_tombstone_is_gone_within_two_days() -> None:
    config = topic_config(TABLE)
    assert int(config["min.compaction.lag.ms"]) <= int(config["max.compaction.lag.ms"])
    assert int(config["segment.ms"]) + int(config["max.compaction.lag.ms"]) <= 2 * DAY_MS


def test_an_inbox_is_kept_until_consumed_whatever_its_size() -> None:
    config = topic_config(INBOX)
    assert (config["cleanup.policy"], config["retention.ms"], config["retention.bytes"]) == ("delete", "-1", "-1")


def test_a_log_topic_is_gone_within_a_day_after_its_retention() -> None:
    config = topic_config(LOG)
    assert config["cleanup.policy"] == "delete"
    assert int(config["retention.ms"]) + int(config["segment.ms"]) <= 26 * DAY_MS


@pytest.mark.parametrize("spec", [TABLE, INBOX, LOG])
def test_a_topic_takes_messages_as_large_as_its_spec_says(spec: TopicSpec) -> None:
    assert topic_config(spec)["max.message.bytes"] == str(spec.max_message_bytes)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_broker_may_be_away_where_there_are_several(replication: int, in_sync: str) -> None:
    assert topic_config(LOG, replication)["min.insync.replicas"] == in_sync
