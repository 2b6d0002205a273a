"""Reads a processor's table topic, to bring a store up to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs.kafka_client import PERMANENT, REQUEST_SECONDS, Connection, asking, client_log, unanswered
from streams.engine.log import LogError, TableEnd, TableRecord
from streams.engine.store import LostTableError, lost_table

SLICE = 10_000
SLICE_SECONDS = 0.1

READER_SETTINGS: dict[str, Any] = {
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 32_768,
    "fetch.message.max.bytes": 8_388_608,
}


class KafkaTable:
    """The table topic of one processor."""

    def __init__(self, connection: Connection, topic: str, known_id: str = "") -> None:
        """`topic`: its name on the broker. `known_id`: that of the topic the deployment has, if it is known."""
        self._connection = connection
        self._topic = topic
        self._known_id = known_id

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(dict(self._connection.common), logger=client_log)

    def end(self, partition: int) -> TableEnd:
        """Where it stands, records of open transactions included. Raises UnavailableError, LogError; LostTableError if it is
        gone, or another than is known."""
        what = f"table topic {self._topic}"
        topic_id = self._id(what)
        if self._known_id and topic_id != self._known_id:
            raise LostTableError(lost_table(f"{self._topic} was deleted and created again", self._topic))
        # Markers reach offsets and table at different times (KAFKA-10167), so the end must count what is not yet known to be
        # committed. The client answers a read-committed reader with the last stable offset, which leaves that out.
        with closing(self._connection.reader({**READER_SETTINGS, "isolation.level": "read_uncommitted"})) as reader:
            at = TopicPartition(self._topic, partition)
            low, high = asking(what, lambda: _watermarks(reader, at))
        return TableEnd(topic_id, low, high, self._topic)

    def _id(self, what: str) -> str:
        described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=REQUEST_SECONDS)
        try:
            return str(described[self._topic].result().topic_id)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise LostTableError(lost_table(f"{self._topic} is gone", self._topic)) from error
            raise unanswered(what, error.args[0]) from error

    def read(self, partition: int, start: int, end: int) -> Iterator[list[TableRecord]]:
        """Committed records until the position is `end`; empty lists while the broker has nothing to give."""
        if start >= end:
            return
        with closing(self._connection.reader(READER_SETTINGS)) as reader:
            reader.assign([TopicPartition(self._topic, partition, start)])
            position = start
            while position < end:
                records: list[TableRecord] = []
                found: list[Any] = reader.consume(SLICE, SLICE_SECONDS)
                for raw in found:
                    error = raw.error()
                    if error is None:
                        position = raw.offset() + 1
                        records.append(TableRecord(position - 1, raw.key(), raw.value()))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        position = max(position, raw.offset())  # behind the last record there may be markers only
                    elif error.fatal() or error.code() in PERMANENT:
                        raise LogError(f"table topic {self._topic} cannot be read: {error.str()}")
                yield records


def _watermarks(reader: Consumer, at: TopicPartition) -> tuple[int, int]:
    found = reader.get_watermark_offsets(at, REQUEST_SECONDS)
    assert found is not None  # it raises when it is asked and does not know
    return found
