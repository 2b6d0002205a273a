"""Deletes what a group has consumed of its inboxes: they are kept until then, and not for longer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs.kafka_client import REQUEST_SECONDS, client_log

log = logging.getLogger(__name__)

PURGE_SECONDS = 60.0
"""Between two requests: brokers delete whole segments only, so there is no hurry."""


class _Asked(NamedTuple):
    """A request for one partition."""

    offset: int
    answer: Future[Any]


class Purge:
    """Asks the brokers now and then, and waits for no answer. What they have not confirmed is asked for again.

    What is below a committed offset is needed by nobody: a zombie's offsets are never committed.
    """

    def __init__(self, settings: Mapping[str, str], name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`name`: of the processor, for the log."""
        self._settings = settings
        self._name = name
        self._clock = clock
        self._admin: AdminClient | None = None  # made at first need
        self._looked = clock()
        self._unconfirmed: dict[tuple[str, int], int] = {}  # the newest committed offset of each partition
        self._asked: dict[tuple[str, int], _Asked] = {}
        self._told: set[int] = set()

    def committed(self, positions: Iterable[TopicPartition]) -> None:
        """Remembers committed offsets; all below them goes with a later `look`."""
        self._unconfirmed.update({(at.topic, at.partition): at.offset for at in positions})

    def look(self) -> None:
        """Asks if it is time to, and there is something to ask for. To be called now and then, also when nothing comes."""
        if self._unconfirmed and self._clock() - self._looked >= PURGE_SECONDS:
            self._looked = self._clock()
            self._take_answers()
            self._ask()

    def _take_answers(self) -> None:
        for at, asked in list(self._asked.items()):
            if not asked.answer.done():
                continue
            del self._asked[at]
            error = asked.answer.exception()
            code = error.args[0].code() if isinstance(error, KafkaException) else None
            if error is not None:
                self._tell(error)
            # Out of range: the topic was made anew, and what was committed of the former one means nothing now.
            if (error is None or code == KafkaError.OFFSET_OUT_OF_RANGE) and self._unconfirmed.get(at) == asked.offset:
                del self._unconfirmed[at]

    def _ask(self) -> None:
        wanted = {at: offset for at, offset in self._unconfirmed.items() if at not in self._asked}
        if not wanted:
            return
        admin = self._admin = self._admin or AdminClient(dict(self._settings), logger=client_log)
        # The brokers answer once every replica has followed, or say after `operation_timeout` that some have not.
        answers = admin.delete_records(
            [TopicPartition(*at, offset) for at, offset in wanted.items()],
            request_timeout=2 * REQUEST_SECONDS,
            operation_timeout=REQUEST_SECONDS,
        )
        for at, answer in answers.items():
            self._asked[(at.topic, at.partition)] = _Asked(wanted[(at.topic, at.partition)], answer)

    def _tell(self, error: BaseException) -> None:
        """Says once of each kind why the brokers refused: most likely we may not."""
        cause = error.args[0] if isinstance(error, KafkaException) else None
        code = cause.code() if cause is not None else 0
        if code not in self._told:
            self._told.add(code)
            why = cause.str() if cause is not None else type(error).__name__
            log.warning("%s: what was consumed of its inbox stays there (%s): allow DELETE on it", self._name, why)
