"""Deletes what a group has consumed of its inboxes: they are kept until then, and not for longer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs.kafka_client import REQUEST_SECONDS, client_log

log = logging.getLogger(__name__)

PURGE_SECONDS = 60.0
"""Between two requests: brokers delete whole segments only, so there is no hurry."""


class Purge:
    """Asks the brokers now and then, and waits for no answer: nothing is wrong if a request is lost, the next says more.

    What is below a committed offset is needed by nobody: a zombie's offsets are never committed.
    """

    def __init__(self, settings: Mapping[str, str], name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`name`: of the processor, for the log."""
        self._settings = settings
        self._name = name
        self._clock = clock
        self._admin: AdminClient | None = None  # made at first need
        self._asked = clock()
        self._reached: dict[tuple[str, int], int] = {}
        self._answers: list[Future[Any]] = []
        self._told: set[int] = set()

    def committed(self, positions: Iterable[TopicPartition]) -> None:
        """Remembers committed offsets; all below them goes with the next request."""
        self._reached.update({(at.topic, at.partition): at.offset for at in positions})
        if self._clock() - self._asked >= PURGE_SECONDS:
            self._asked = self._clock()
            self._tell()
            self._ask()

    def _ask(self) -> None:
        admin = self._admin = self._admin or AdminClient(dict(self._settings), logger=client_log)
        wanted = [TopicPartition(topic, partition, offset) for (topic, partition), offset in self._reached.items()]
        self._reached.clear()
        found = admin.delete_records(wanted, request_timeout=REQUEST_SECONDS, operation_timeout=0)
        self._answers = list(found.values())

    def _tell(self) -> None:
        """Says once of each kind why the brokers refused: most likely we may not."""
        for answer in self._answers:
            error = answer.exception() if answer.done() else None
            if isinstance(error, KafkaException) and error.args[0].code() not in self._told:
                self._told.add(error.args[0].code())
                why = error.args[0].str()
                log.warning("%s: what was consumed of its inbox stays there (%s): allow DELETE on it", self._name, why)
